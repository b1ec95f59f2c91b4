import type { FactValue, LayerEventName, Owner, Reason } from '@orchestrate/canon';

interface Answer {
  readonly fact: string;
  readonly value: FactValue;
  readonly band: string | undefined;
  readonly reason: Reason;
  readonly observedAtMs: number;
  /** Null for a folded fact: its freshness is that of its source's heartbeat. */
  readonly expiresAtMs: number | null;
}
interface Failure extends Answer {
  readonly owner: Owner;
  /** Null: this failure has no grace, whatever runs. */
  readonly graceUntilMs: number | null;
  /** Whether a clock that stands from an earlier failure may start anew. */
  readonly graceRestarts: boolean;
  /** Whether leaving this failure owes probation. */
  readonly requalify: boolean;
}

/** What each event carries beside its type and its time. A machine reads no clock: `atMs` is all the time it has. */
interface Payloads {
  check_started: { readonly deadlineMs: number };
  check_passed: Answer;
  check_failed_soft: Failure;
  check_failed_hard: Failure;
  /** `value` when there is an answer that cannot be judged; without one a fresh earlier answer stands. */
  check_inconclusive: { readonly fact: string; readonly reason: Reason; readonly answer: Answer | null };
  /** `seenAtMs` where somebody saw what cannot be judged, so that an older answer that comes later is late. */
  fact_expired: { readonly fact: string; readonly reason: Reason; readonly seenAtMs?: number };
  check_exhausted: { readonly ours: boolean };
  setup_started: { readonly id: string; readonly deadlineMs: number };
  setup_done: { readonly id: string };
  run_started: { readonly runId: string; readonly untilMs: number };
  run_finished: { readonly runId: string };
  run_lost: { readonly runId: string };
  window_closed: { readonly cause: string; readonly untilMs: number | null };
  window_opened: { readonly cause: string };
  adverse_event: { readonly cause: string; readonly untilMs: number };
  cooldown_elapsed: { readonly cause: string };
  probation_passed: { readonly cause: string };
  probation_failed: { readonly cause: string; readonly untilMs: number };
  grace_expired: { readonly fact: string };
  operator_hold: { readonly cause: string };
  operator_released: { readonly cause: string };
  client_acted: { readonly facts: readonly string[] };
}

export type LayerEvent = {
  [E in LayerEventName]: { readonly type: E; readonly atMs: number } & Payloads[E];
}[LayerEventName];
export type LayerEventOf<E extends LayerEventName> = Extract<LayerEvent, { type: E }>;
