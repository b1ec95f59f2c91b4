import type { DispatchAction } from './gates/gate.ts';
import type { Policy } from './policy.ts';
import type { TruthReading } from './truth-reading.ts';

/** The sources that a request names. */
export type NamedSources = Pick<DispatchAction, 'mailbox' | 'domain' | 'campaign' | 'importSource'>;

/** What a finding may look at that rests on the truth alone: nothing of the recipient, the ledger or the approval. */
export interface StandingCase {
  readonly reading: TruthReading;
  readonly policy: Policy;
  readonly action: NamedSources;
}

/**
 * A finding that stands for every request that names the same sources, until time changes one of them. It is made
 * once and shared, so what it gives is not to be changed.
 */
export function standing<T extends object>(find: (input: StandingCase) => T): (input: StandingCase) => T {
  return (input) => {
    const found = input.reading.standing(input);
    const known = found.get(find) as T | undefined;
    if (known) return known;
    const made = find(input);
    found.set(find, made);
    return made;
  };
}

/** What was found so far, by what found it. */
export type Found = Map<unknown, object>;

/** The findings on one truth, for some of the sources that requests have named. */
export class StandingFindings {
  readonly #bySources = new Map<string, Stretch>();

  at(reading: TruthReading, policy: Policy, action: NamedSources): Found {
    const { mailbox, domain, campaign, importSource } = action;
    const key = `${mailbox}\n${domain}\n${campaign}\n${importSource}`;
    const { fresh, nowMs } = reading;
    const known = this.#bySources.get(key);
    if (known && isFor(known, reading, policy)) return known.found;
    const found: Found = new Map();
    // Requests may name whatever they like: what they make us keep has an end.
    if (this.#bySources.size >= SOURCES_MAX) this.#bySources.clear();
    this.#bySources.set(key, {
      policy,
      fresh,
      fromMs: nowMs,
      untilMs: nextChangeMs(reading, action),
      found,
    });
    return found;
  }
}

const SOURCES_MAX = 64;

/** From the moment of the first finding until the next one at which any of them could be another. */
interface Stretch {
  readonly policy: Policy;
  readonly fresh: boolean;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly found: Found;
}

const isFor = (known: Stretch, { fresh, nowMs }: TruthReading, policy: Policy): boolean =>
  known.policy === policy && known.fresh === fresh && known.fromMs <= nowMs && nowMs < known.untilMs;

/** Of all that a truth says only two things change by time alone: a fact expires, a grace ends. */
function nextChangeMs(reading: TruthReading, action: NamedSources): number {
  let next = Number.POSITIVE_INFINITY;
  const consider = (atMs: number | null) => {
    if (atMs !== null && atMs > reading.nowMs && atMs < next) next = atMs;
  };
  const providers = reading.truth?.layers.provider_health.sources ?? [];
  for (const source of [
    reading.source('billing', 'main'),
    reading.source('sending_domain', action.domain),
    reading.source('mailbox', action.mailbox),
    ...providers,
    reading.source('governance', 'main'),
    reading.source('continuity_window', 'main'),
    reading.source('pacing', action.mailbox),
    reading.source('campaign', action.campaign),
    reading.source('data', action.importSource),
  ]) {
    if (!source) continue;
    for (const fact of source.facts) consider(fact.expiresAtMs);
    for (const grace of Object.values(source.causes.graces)) consider(grace.untilMs);
  }
  return next;
}
