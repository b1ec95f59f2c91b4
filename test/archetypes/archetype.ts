import type { CanonicalBlockerLayer } from '@orchestrate/canon';
import type { TenantConfig } from '@orchestrate/contracts';
import type { ProbeName, Seen } from './probes.ts';

/** What happens on one day to what is sent on it, beside the usual. */
export interface Incident {
  readonly day: number;
  /** So many come back as unknown addresses, hours later. */
  readonly bounces?: number;
  /** So many people complain. */
  readonly complaints?: number;
  /** Of so many nobody will ever know whether they went out. */
  readonly unknownOutcomes?: number;
}

/** A kind of tenant: what it is, what it wants, and what the world does to it. Everything unsaid is as it should be. */
export interface Archetype {
  readonly id: string;
  readonly title: string;
  /** The layer on which its fate hangs; pacing, where nothing is said. */
  readonly layer?: CanonicalBlockerLayer;
  readonly governance?: Partial<TenantConfig['governance']>;
  /** Of its mailbox; what the policy says without it. */
  readonly capPerDay?: number;
  /** Sends on weekdays only. */
  readonly weekdaysOnly?: true;
  /** So many a day in the thirty days before, and none in the last of them. A tenant without a past is new. */
  readonly past?: { readonly perDay: number; readonly pausedDays?: number };
  /** How many new people it wants to write to on a day. */
  readonly wants: (day: number) => number;
  /** The first message went out elsewhere: it only wants to follow up. */
  readonly followUpsOnly?: true;
  /** Everybody who was written to is written to again after so many days. */
  readonly followUpAfterDays?: number;
  /** What the probes see on a day where it is not what they should see; a fact of `null` is never seen. */
  readonly sees?: { readonly [P in ProbeName]?: (day: number) => Seen };
  /** The mailbox may only send: nobody sees its bounces or reads its replies. */
  readonly sendOnly?: true;
  /** No mailbox provider tells who complained. */
  readonly noFeedbackLoop?: true;
  /** Share of the messages that come back on a usual day. */
  readonly bounceShare?: number;
  readonly incidents?: readonly Incident[];
  /** Looks in every hour of the window, and does this. */
  readonly person?: { readonly approves?: true; readonly releases?: true };
  /** Nothing of ours works from then until then. */
  readonly outage?: { readonly fromMs: number; readonly toMs: number };
  /** Day on which an operator freezes the tenant. */
  readonly frozenOnDay?: number;
}
