import { type Constraints, dispatches } from '@orchestrate/canon';
import type { DecisionRecorded, OutcomeReason } from '@orchestrate/contracts';
import { providerOf } from './recipient-provider.ts';

/** What a sender is about to send, in all that a constraint can be about. */
export interface IntendedSend {
  readonly nowMs: number;
  /** The one address that it goes to. */
  readonly to: string;
  /** Whether that address was verified. */
  readonly verified: boolean;
  readonly text: string;
  /** Whether there is a part other than plain text. */
  readonly hasHtml: boolean;
  readonly attachments: number;
  readonly openTracking: boolean;
  readonly clickTracking: boolean;
  /** Whether the recipient can unsubscribe with one click (RFC 8058). */
  readonly oneClick: boolean;
  /** How much of the text a model wrote. */
  readonly aiGeneration: 'none' | 'within_approved_template' | 'free';
}

export type Honour =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly reason: Extract<OutcomeReason, 'decision_expired' | 'constraint_not_honourable'>;
      /** The constraint, or the end of the time, that stands against the send. */
      readonly because: string;
    };

/** When a decision may be acted on at the earliest; null when it never may. */
export function earliestSendMs(decision: DecisionRecorded): number | null {
  if (!dispatches(decision.kind) || decision.notBeforeMs === null) return null;
  const delayMs = (decision.constraints?.sendDelaySec ?? 0) * 1000;
  return Math.max(decision.notBeforeMs, decision.decidedAtMs + delayMs);
}

/**
 * Whether a send keeps to everything that its decision demands. `maxToday` and `budgetIds` are counted by governance,
 * which alone sees all senders: its decision is there because they allowed it.
 */
export function honour(decision: DecisionRecorded, send: IntendedSend): Honour {
  const earliestMs = earliestSendMs(decision);
  if (earliestMs === null) return not('constraint_not_honourable', 'kind');
  if (decision.validUntilMs === null || send.nowMs > decision.validUntilMs) {
    return not('decision_expired', 'validUntilMs');
  }
  if (send.nowMs < earliestMs) return not('constraint_not_honourable', 'notBeforeMs');
  if (decision.kind === 'APPROVE') return { ok: true };
  if (decision.constraints === null) return not('constraint_not_honourable', 'constraints');
  if (decision.constraints.expiresAtMs !== undefined && send.nowMs >= decision.constraints.expiresAtMs) {
    return not('decision_expired', 'expiresAtMs');
  }
  const broken = brokenConstraint(decision.constraints, send, decision.recipient.touches === 0);
  return broken ? not('constraint_not_honourable', broken) : { ok: true };
}

function not(reason: (Honour & { ok: false })['reason'], because: string): Honour {
  return { ok: false, reason, because };
}

/** The first constraint that a send breaks. A field that is not set demands nothing. */
function brokenConstraint(
  constraints: Constraints,
  send: IntendedSend,
  isNewProspect: boolean,
): keyof Constraints | null {
  const { recipientProvidersAllow, maxLinks } = constraints;
  if (constraints.verifiedRecipientsOnly && !send.verified) return 'verifiedRecipientsOnly';
  if (constraints.newProspects === false && isNewProspect) return 'newProspects';
  if (recipientProvidersAllow && !recipientProvidersAllow.includes(providerOf(send.to))) {
    return 'recipientProvidersAllow';
  }
  if (constraints.plainTextOnly && send.hasHtml) return 'plainTextOnly';
  if (constraints.openTracking === false && send.openTracking) return 'openTracking';
  if (constraints.clickTracking === false && send.clickTracking) return 'clickTracking';
  if (constraints.attachments === false && send.attachments > 0) return 'attachments';
  if (maxLinks !== undefined && linksIn(send.text) > maxLinks) return 'maxLinks';
  if (constraints.requireOneClick && !send.oneClick) return 'requireOneClick';
  return allowsAi(constraints.aiGeneration, send.aiGeneration) ? null : 'aiGeneration';
}

function linksIn(text: string): number {
  return text.match(/\bhttps?:\/\//gi)?.length ?? 0;
}

function allowsAi(allowed: Constraints['aiGeneration'], used: IntendedSend['aiGeneration']): boolean {
  if (allowed === undefined || used === 'none') return true;
  return allowed === 'approved_template_only' && used === 'within_approved_template';
}
