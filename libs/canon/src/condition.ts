import type { FactValue } from './facts.ts';
import { UNKNOWN_REASONS } from './facts.ts';
import type {
  CanonicalBlockerLayer,
  CheckVerdict,
  ManagedExecutionState,
  Owner,
  ReadinessBucket,
  RiskLevel,
  RiskName,
  RiskPhase,
} from './words.ts';

/** Why a fact, and with it a layer, reads as it does. Closed: a reason that is not listed cannot be recorded. */
export const REASONS = [
  'ok',
  ...UNKNOWN_REASONS,
  // billing
  'past_due',
  'incomplete',
  'unpaid',
  'canceled',
  'paused',
  'incomplete_expired',
  'trial_over',
  'entitlement_used_up',
  'payment_expiring',
  'payment_expired',
  'payment_missing',
  // sending_domain
  'spf_fail',
  'spf_softfail',
  'spf_neutral',
  'spf_none',
  'spf_permerror',
  'spf_too_many_lookups',
  'dkim_weak',
  'dkim_revoked',
  'dkim_malformed',
  'dkim_missing',
  'dkim_not_discoverable',
  'dmarc_none',
  'dmarc_multiple',
  'dmarc_invalid',
  'misaligned',
  'one_click_unsigned',
  // mailbox
  'invalid_grant',
  'inactive_unspecified',
  'cannot_send',
  'bounces_invisible',
  'replies_unreadable',
  'identity_unscoped',
  'scope_drift',
  'quota_full',
  'provider_throttles',
  'connecting',
  // provider_health
  'provider_unreachable',
  'spend_limit',
  'credential_refused',
  'overloaded',
  'rate_limited',
  'slow',
  'errors_high',
  'fallback_in_use',
  // governance
  'freeze',
  'freeze_all',
  'policy_unreadable',
  'audit_sink_down',
  'basis_absent',
  'basis_unknown',
  'jurisdiction_undeclared',
  'sector_undeclared',
  // continuity_window
  'operator_freeze',
  'maintenance',
  'tenant_paused',
  'holiday',
  'quiet_hours',
  'out_of_hours',
  'in_hours',
  'last_run_failed',
  'last_run_partial',
  'last_run_missed',
  'run_overdue',
  'clock_skew',
  'run_holds_it',
  'run_lost',
  // pacing
  'band_watch',
  'band_throttled',
  'band_quarantined',
  'band_blocked',
  'cap_reached',
  'requalifying',
  // campaign
  'campaign_draft',
  'campaign_paused',
  'campaign_auto_paused',
  'campaign_done',
  'not_approved',
  'digest_drift',
  'lint_fail',
  'lint_warn',
  'variables_unresolved',
  'no_opt_out',
  'no_postal_address',
  'bindings_broken',
  'bindings_partial',
  // data
  'no_import',
  'import_overdue',
  'import_running',
  'import_failed_client',
  'import_failed_internal',
  'suppression_stale',
  'verified_share_low',
  'provenance_low',
  'queue_empty',
  // any layer
  'not_required',
  'verifying',
  'operator_hold',
  'risks_compound',
  'setup_overdue',
] as const;
export type Reason = (typeof REASONS)[number];

/** One fact as the layer's machine holds it. Times are milliseconds since the epoch, UTC. */
export interface FactReading {
  readonly fact: string;
  readonly value?: FactValue | undefined;
  /** The value is what was known last, and nobody knows any more whether it still holds. */
  readonly isHistory?: true | undefined;
  /** The band that a number is in; kept with hysteresis, so that noise at an edge changes nothing. */
  readonly band?: string | undefined;
  readonly verdict: CheckVerdict;
  readonly severity: 'none' | 'soft' | 'hard';
  readonly reason: Reason;
  readonly owner: Owner;
  readonly required: boolean;
  readonly observedAtMs: number | null;
  readonly expiresAtMs: number | null;
  readonly everPassed: boolean;
  readonly passingSinceMs: number | null;
}

/**
 * Whether this fact leaves its layer without an answer. An optional fact does so only when an answer came that
 * cannot be judged (a list synchronised too long ago); that nobody answered is no news of it.
 */
export function isHonestUnknown(fact: Pick<FactReading, 'verdict' | 'required' | 'reason'>): boolean {
  if (fact.verdict !== 'unknown') return false;
  return fact.required || !(UNKNOWN_REASONS as readonly string[]).includes(fact.reason);
}

export interface LayerRisk {
  readonly risk: RiskName;
  readonly level: RiskLevel;
  readonly phase: RiskPhase;
}

/** A sample that is being taken after a stop. */
export interface Requalification {
  readonly ordinal: number;
  /** What its counter showed at the start; where reports are counted, the time of the newest that was. */
  readonly from: number | null;
  /** How much of the sample is in. */
  readonly count: number;
}
export const NEW_SAMPLE = { from: null, count: 0 } as const;

/** A risk that is not over when its facts are. Two that were active together also wait for a person's release. */
export interface LatchedRisk {
  readonly phase: RiskPhase;
  readonly releaseOwed: boolean;
}

/** What stands behind a state, keyed by cause: clearing one entry never clears another. */
export interface Causes {
  readonly holds: Readonly<Record<string, { readonly sinceMs: number }>>;
  readonly faults: Readonly<Record<string, { readonly sinceMs: number }>>;
  readonly cooldowns: Readonly<Record<string, { readonly untilMs: number; readonly ordinal: number }>>;
  readonly requalifications: Readonly<Record<string, Requalification>>;
  readonly graces: Readonly<Record<string, { readonly untilMs: number; readonly spent: boolean }>>;
  /** Null: an event ends it, no time is known. */
  readonly closures: Readonly<Record<string, { readonly untilMs: number | null }>>;
  readonly latched: Readonly<Record<string, LatchedRisk>>;
  readonly setup: { readonly id: string; readonly deadlineMs: number } | null;
  readonly lease: { readonly runId: string; readonly untilMs: number } | null;
  readonly check: { readonly startedAtMs: number; readonly deadlineMs: number } | null;
  readonly recheckSinceMs: number | null;
  /** After a release or a client's act: answers observed before it do not count, also when they come late. */
  readonly answersSinceMs: number | null;
  /** The fact that may not simply pass again: leaving its failure owes probation, whatever way it is left. */
  readonly requalificationOwed: string | null;
  /** Where the layer's counters stood when its last stop was over: what led to the stop counts no more. */
  readonly servedStop: { readonly atMs: number; readonly counters: Readonly<Record<string, number>> } | null;
  /** Tries since the last answer, by fact: how long nobody has had one. */
  readonly unanswered: Readonly<
    Record<string, { readonly sinceMs: number; readonly lastMs: number; readonly tries: number }>
  >;
  /** Tries went on long enough that a person should look, although nobody is proven at fault. */
  readonly attention: boolean;
}

/** What one source of one layer says of itself. */
export interface LayerCondition {
  readonly tenantId: string;
  readonly layer: CanonicalBlockerLayer;
  readonly source: string;
  readonly enabled: boolean;
  readonly state: ManagedExecutionState;
  readonly bucket: ReadinessBucket;
  readonly owner: Owner;
  readonly reason: Reason;
  readonly facts: readonly FactReading[];
  readonly causes: Causes;
  readonly risks: readonly LayerRisk[];
  /** Earliest expiry of a required fact that has an answer; null when nothing observed can expire. */
  readonly validUntilMs: number | null;
}

export const NO_CAUSES: Causes = {
  holds: {},
  faults: {},
  cooldowns: {},
  requalifications: {},
  graces: {},
  closures: {},
  latched: {},
  setup: null,
  lease: null,
  check: null,
  recheckSinceMs: null,
  answersSinceMs: null,
  requalificationOwed: null,
  servedStop: null,
  unanswered: {},
  attention: false,
};
