import { randomUUID } from 'node:crypto';
import { digestOfBytes } from '@orchestrate/canon';
import {
  type DispatchRequested,
  dispatchRequested,
  type TenantConfig,
  VERSION,
} from '@orchestrate/contracts';
import { type Broker, PublishRefused } from '@orchestrate/messaging';
import type { ImportedLead } from './lead-import.ts';
import { hint } from './nearest-word.ts';
import { eachInFlight, publishMessage } from './publish-message.ts';

export interface DispatchRequests {
  readonly tenantId: string;
  readonly campaign: string;
  /** First message of the sequence is step 1. */
  readonly step: number;
  readonly importSource: string;
  readonly leads: readonly ImportedLead[];
  readonly config: TenantConfig;
  readonly requestedBy: string;
  readonly onProgress?: (progress: { readonly asked: number; readonly of: number }) => void;
}

export interface DispatchRequestsReport {
  /** Stored by this call. */
  readonly requested: number;
  /** Asked for before: the first request stands. */
  readonly already: number;
  /** In the order of the leads. */
  readonly dispatchIds: readonly string[];
}

const REQUESTS_IN_FLIGHT_MAX = 512;
/** The stream takes one message a subject, and so one request a dispatch. */
const SUBJECT_IS_TAKEN = 10077;

/** Asks, for each lead, whether the message of this step may go out now. Asking again asks for nothing new. */
export async function requestDispatches(
  broker: Broker,
  options: DispatchRequests,
): Promise<DispatchRequestsReport> {
  const actionOf = planActions(options);
  const { tenantId, campaign, step, leads, requestedBy } = options;
  let requested = 0;
  let already = 0;
  const dispatchIds = leads.map(({ recipientKey }) =>
    dispatchIdOf({ tenantId, campaign, step, recipientKey }),
  );
  await eachInFlight(leads.entries(), REQUESTS_IN_FLIGHT_MAX, async ([index, lead]) => {
    const dispatchId = dispatchIds[index]!;
    const message: DispatchRequested = {
      v: VERSION,
      id: randomUUID(),
      tenantId,
      causedBy: null,
      dispatchId,
      requestedBy,
      requestedAtMs: Date.now(),
      action: actionOf(lead, index),
    };
    if (await ask(broker, message)) requested++;
    else already++;
    options.onProgress?.({ asked: requested + already, of: leads.length });
  });
  return { requested, already, dispatchIds };
}

async function ask(broker: Broker, message: DispatchRequested): Promise<boolean> {
  try {
    await publishMessage(broker, dispatchRequested, dispatchRequested.subject(message), message);
    return true;
  } catch (error) {
    if (error instanceof PublishRefused && error.code === SUBJECT_IS_TAKEN) return false;
    throw error;
  }
}

/** One message to one person has one id, whoever asks for it and however often. */
export function dispatchIdOf(at: {
  readonly tenantId: string;
  readonly campaign: string;
  readonly step: number;
  readonly recipientKey: string;
}): string {
  return `d-${digestOfBytes(`${at.tenantId}/${at.campaign}/${at.step}/${at.recipientKey}`).slice(0, 40)}`;
}

/** The action for a lead by its place in the list: mailboxes take turns. Throws when the request names what is not there. */
export function planActions(
  options: Omit<DispatchRequests, 'requestedBy'>,
): (lead: ImportedLead, index: number) => DispatchRequested['action'] {
  const { tenantId, campaign, step, importSource, config } = options;
  const known = config.campaigns.map(({ id }) => id);
  const found = config.campaigns.find(({ id }) => id === campaign);
  if (!found)
    throw new Error(`tenant \`${tenantId}\` has no campaign \`${campaign}\`${hint(campaign, known)}`);
  const templateDigest = found.templates[step - 1];
  if (templateDigest === undefined) {
    throw new Error(
      `campaign \`${campaign}\` has no step ${step}: its steps are 1 to ${found.templates.length}`,
    );
  }
  const imports = config.imports.map(({ id }) => id);
  if (!imports.includes(importSource)) {
    throw new Error(
      `tenant \`${tenantId}\` declares no import \`${importSource}\`${hint(importSource, imports)}`,
    );
  }
  const mailboxes = config.mailboxes.filter(({ id, enabled }) => enabled && found.mailboxes.includes(id));
  if (mailboxes.length === 0) {
    throw new Error(
      `campaign \`${campaign}\` has no enabled mailbox: enable one of ${found.mailboxes.join(', ')}`,
    );
  }
  return (lead, index) => {
    const mailbox = mailboxes[index % mailboxes.length]!;
    return {
      campaign,
      step,
      mailbox: mailbox.id,
      domain: mailbox.domain,
      importSource,
      recipientKey: lead.recipientKey,
      recipientVerified: lead.verified,
      prospect: lead.prospect,
      conversation: lead.conversation,
      templateDigest,
    };
  };
}
