import type { Content, DecisionRecorded, Lead, Mailbox, OutcomeReason } from '@orchestrate/contracts';
import { Liquid } from 'liquidjs';

/** One message to one recipient, plain text, as nodemailer takes it. */
export interface OutgoingMessage {
  readonly envelope: { readonly from: string; readonly to: readonly [string] };
  readonly from: { readonly name: string; readonly address: string };
  readonly to: { readonly name: string; readonly address: string };
  readonly subject: string;
  readonly text: string;
  readonly messageId: string;
  readonly date: Date;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Ingredients {
  readonly decision: DecisionRecorded;
  readonly decisionSeq: number;
  readonly lead: Lead;
  readonly content: Content;
  readonly mailbox: Mailbox;
  readonly nowMs: number;
}

export type Composed =
  | { readonly ok: true; readonly message: OutgoingMessage; readonly oneClick: boolean }
  | { readonly ok: false; readonly reason: Extract<OutcomeReason, 'recipient_missing' | 'content_missing'> };

/**
 * Renders a template for its recipient. A variable that has no value makes the content unusable: nobody is greeted
 * with a gap. Message-ID derives from the dispatch, so that a message that was sent twice against all precautions
 * is recognised as one by whoever receives it.
 */
export function composeMessage(ingredients: Ingredients): Composed {
  const { decision, decisionSeq, lead, content, mailbox, nowMs } = ingredients;
  if (!isOneAddress(lead.address)) return { ok: false, reason: 'recipient_missing' };
  if (!isOneAddress(mailbox.address)) return { ok: false, reason: 'content_missing' };
  const unsubscribeUrl = unsubscribeUrlFor(mailbox, decision);
  const variables = {
    ...lead.variables,
    sender: { name: mailbox.name, postalAddress: mailbox.postalAddress },
    ...(unsubscribeUrl === null ? {} : { unsubscribeUrl }),
  };
  const subject = render(content.subject, variables);
  const text = render(content.text, variables);
  if (subject === null || text === null) return { ok: false, reason: 'content_missing' };

  const oneClick = unsubscribeUrl?.startsWith('https:') ?? false;
  const message = {
    envelope: { from: mailbox.address, to: [lead.address] as const },
    from: { name: mailbox.name, address: mailbox.address },
    to: { name: '', address: lead.address },
    subject: subject.replace(/\s+/g, ' ').trim(),
    text,
    messageId: `<${decision.dispatchId}@${domainOf(mailbox.address)}>`,
    date: new Date(nowMs),
    headers: {
      ...(unsubscribeUrl === null ? {} : { 'List-Unsubscribe': `<${unsubscribeUrl}>` }),
      // RFC 8058 3.1 wants an HTTPS URI for one click
      ...(oneClick ? { 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' } : {}),
      'X-Orchestrate-Decision': String(decisionSeq),
    },
  };
  return { ok: true, message, oneClick };
}

/** Templates come from outside: they load no files (`templates`), and cannot run for ever. */
const liquid = new Liquid({
  templates: {},
  strictVariables: true,
  strictFilters: true,
  // a gap with a `default` filter is not a gap
  lenientIf: true,
  ownPropertyOnly: true,
  parseLimit: 2_000_000,
  renderLimit: 1_000,
  memoryLimit: 20_000_000,
});

function render(template: string, variables: object): string | null {
  try {
    return String(liquid.parseAndRenderSync(template, variables));
  } catch {
    return null;
  }
}

/** RFC 8058 3.1: the URI says by itself who unsubscribes from what; no address stands in it. */
function unsubscribeUrlFor(mailbox: Mailbox, decision: DecisionRecorded): string | null {
  if (mailbox.unsubscribeUrl === null) return null;
  const url = new URL(mailbox.unsubscribeUrl);
  url.searchParams.set('tenant', decision.tenantId);
  url.searchParams.set('recipient', decision.action.recipientKey);
  return url.href;
}

/** An address that could be read as a list, or as the end of a header, is none. */
function isOneAddress(address: string): boolean {
  return /^[^\s@<>,;:"()[\]\\]+@[^\s@<>,;:"()[\]\\]+$/.test(address);
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1).toLowerCase();
}
