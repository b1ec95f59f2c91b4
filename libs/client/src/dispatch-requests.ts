import { randomUUID } from 'node:crypto';
import { digestOfBytes, dispatches } from '@orchestrate/canon';
import {
  type DispatchRequested,
  dispatchRequested,
  type TenantConfig,
  VERSION,
} from '@orchestrate/contracts';
import { type Broker, PublishRefused } from '@orchestrate/messaging';
import type { ImportedLead } from './lead-import.ts';
import { NotThere, notAmong } from './not-there.ts';
import { eachInFlight, publishMessage } from './publish-message.ts';
import { effectiveDecisions, readChain, readOutcomes } from './read-side.ts';

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

/**
 * Asks, for each lead, whether the message of this step may go out now. Asking again asks for nothing new, unless a
 * release came to nothing: that one is asked for again.
 */
export async function requestDispatches(
  broker: Broker,
  options: DispatchRequests,
): Promise<DispatchRequestsReport> {
  const threads =
    options.step > 1 ? await mailboxesOfThreads(broker, options.tenantId) : new Map<string, string>();
  const actionOf = planActions(options, threads);
  const { tenantId, campaign, step, leads, requestedBy } = options;
  let requested = 0;
  let already = 0;
  const outcomes = await readOutcomes(broker, tenantId);
  const dispatchIds = leads.map(({ recipientKey }) =>
    nextDispatchId(
      { tenantId, campaign, step, recipientKey },
      (id) => outcomes.get(id)?.state === 'not_sent',
    ),
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

/** By recipient, the mailbox of the last release to them. */
async function mailboxesOfThreads(broker: Broker, tenantId: string): Promise<ReadonlyMap<string, string>> {
  const releases = [...effectiveDecisions(await readChain(broker, tenantId)).values()].filter(({ kind }) =>
    dispatches(kind),
  );
  return new Map(releases.map(({ action }) => [action.recipientKey, action.mailbox]));
}

/** A release that came to nothing may be asked for again, under the next id of the same message. */
export function nextDispatchId(
  at: Parameters<typeof dispatchIdOf>[0],
  cameToNothing: (dispatchId: string) => boolean,
): string {
  const first = dispatchIdOf(at);
  for (let attempt = 1; ; attempt++) {
    const id = attempt === 1 ? first : `${first}-${attempt}`;
    if (!cameToNothing(id)) return id;
  }
}

/** Throws NotThere when the request names what is not there: before anything is imported or asked for. */
export function checkRequest(
  request: Pick<DispatchRequests, 'tenantId' | 'campaign' | 'step' | 'importSource' | 'config'>,
): void {
  planActions({ ...request, leads: [] });
}

/** The action for a lead by its place in the list: mailboxes take turns. Throws when the request names what is not there. */
export function planActions(
  options: Omit<DispatchRequests, 'requestedBy'>,
  threads: ReadonlyMap<string, string> = new Map(),
): (lead: ImportedLead, index: number) => DispatchRequested['action'] {
  const { tenantId, campaign, step, importSource, config } = options;
  const known = config.campaigns.map(({ id }) => id);
  const found = config.campaigns.find(({ id }) => id === campaign);
  if (!found) throw notAmong(`tenant \`${tenantId}\` has no campaign \`${campaign}\``, campaign, known);
  const templateDigest = found.templates[step - 1];
  if (templateDigest === undefined) {
    throw new NotThere(
      `campaign \`${campaign}\` has no step ${step}: its steps are 1 to ${found.templates.length}`,
    );
  }
  const imports = config.imports.map(({ id }) => id);
  if (!imports.includes(importSource)) {
    throw notAmong(`tenant \`${tenantId}\` declares no import \`${importSource}\``, importSource, imports);
  }
  const mailboxes = config.mailboxes.filter(({ id, enabled }) => enabled && found.mailboxes.includes(id));
  if (mailboxes.length === 0) {
    throw new Error(
      `campaign \`${campaign}\` has no enabled mailbox: enable one of ${found.mailboxes.join(', ')}`,
    );
  }
  return (lead, index) => {
    // Who wrote first writes on; a thread whose mailbox is gone has no better owner than the next one.
    const owner = threads.get(lead.recipientKey);
    const mailbox = mailboxes.find(({ id }) => id === owner) ?? mailboxes[index % mailboxes.length]!;
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
