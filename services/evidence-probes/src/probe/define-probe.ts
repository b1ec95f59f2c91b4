import { type CanonicalBlockerLayer, type CheckVerdict, factSpec, type Policy } from '@orchestrate/canon';
import type { TenantConfig } from '@orchestrate/contracts';
import type { Answer } from './answer.ts';

/** One thing to look at, as the source of a layer. */
export interface Target<Params> {
  readonly source: string;
  readonly params: Params;
}

/** One look: at what, when, and until when. */
export interface Look<Params> {
  readonly params: Params;
  readonly nowMs: number;
  /** Fires when the look has taken too long, or nobody waits for it any more. */
  readonly signal: AbortSignal;
}

export interface Looked {
  /** None where there is nothing to ask: nothing is published then, and it is tried again. */
  readonly answers: readonly Answer[];
  /** For how long the outside world repeats the same, ms. */
  readonly ttlMs?: number;
  /** How long it asked not to be asked again, ms. */
  readonly waitMs?: number;
}

export interface ProbeCadence {
  readonly intervalMs: number;
  /** While something fails. */
  readonly failingMs: number;
  /** While something is unknown. */
  readonly unknownMs: number;
}

/**
 * A way to look at one kind of source. It says what there is to look at and how; when, how often, how long, how many at
 * once and for whom is the runner's.
 */
export interface Probe<Params = unknown> {
  /** Who looked, as evidence names it: an id. */
  readonly name: string;
  readonly layer: CanonicalBlockerLayer;
  /** All facts that it tells; they are unknown when a look fails as a whole. */
  readonly facts: readonly string[];
  /** By what the tenant declares; nothing where it declares nothing of the kind. */
  targets(config: TenantConfig): readonly Target<Params>[];
  /** Should not reject: what it throws leaves all facts unknown, `probe_fault`. */
  look(look: Look<Params>): Promise<Looked>;
  cadence(policy: Policy): ProbeCadence;
  /** What many tenants share is looked at once for all of them. Default: each source for itself. */
  asset?(params: Params): string;
  /** Looks that share a fate share a breaker: the host of a provider. Default: none. */
  fate?(params: Params): string | undefined;
  /** A first impression, by which the next look is timed. Default: whatever is not unknown is well. */
  verdict?(answer: Answer): CheckVerdict;
  /** For one try. Default 10 s. */
  readonly timeoutMs?: number;
  /** Looks that reached nobody are begun so often in all. Default 2. */
  readonly tries?: number;
  /** Looks under way at once. Default 32. */
  readonly atATime?: number;
}

/** Throws TypeError when the probe names a fact that its layer does not know, or a limit that is none. */
export function defineProbe<Params>(probe: Probe<Params>): Probe<Params> {
  const { name, layer, facts } = probe;
  for (const fact of facts) {
    if (!factSpec(layer, fact)) throw new TypeError(`probe \`${name}\`: \`${fact}\` is no fact of ${layer}`);
  }
  if (facts.length === 0) throw new TypeError(`probe \`${name}\` tells no fact`);
  for (const limit of ['timeoutMs', 'tries', 'atATime'] as const) {
    const value = probe[limit] ?? 1;
    if (!Number.isInteger(value) || value < 1)
      throw new TypeError(`probe \`${name}\`: ${limit} is a whole number from 1 on, not \`${value}\``);
  }
  return probe;
}
