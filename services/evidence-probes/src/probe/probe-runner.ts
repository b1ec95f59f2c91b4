import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { allOf, CHECK_VERDICTS, type CheckVerdict, type Policy, UNKNOWN_REASONS } from '@orchestrate/canon';
import type { Logger } from '@orchestrate/service-kit';
import pLimit from 'p-limit';
import { CredentialFault } from '../credentials.ts';
import { DueTimer } from '../due-timer.ts';
import type { ConfiguredTenant } from '../handle-tenant-config.ts';
import type { EvidencePublisher } from '../publish-evidence.ts';
import type { Answer } from './answer.ts';
import type { Looked, Probe } from './define-probe.ts';
import { factOf } from './fact-of.ts';
import { nextLookInMs } from './next-look.ts';
import { Patience } from './patience.ts';

const AT_A_TIME = 32;
/** How long a look that is under way is waited for at the end. */
const CLOSE_MS_MAX = 5_000;
const CLOSE_LOOK_MS = 10;
/** Of one look that very many tenants share. */
const STORED_AT_A_TIME = 256;

interface Watched<Params> {
  readonly tenantId: string;
  readonly source: string;
  readonly reference: string;
  readonly params: Params;
  readonly asset: string;
}

interface Seen {
  readonly looked: Looked;
  readonly atMs: number;
}

interface Asset<Params> {
  readonly watched: Map<string, Watched<Params>>;
  /** What was seen last, for whoever comes to share it. */
  seen: Seen | null;
}

interface Dependencies {
  readonly evidence: EvidencePublisher;
  readonly policy: () => Policy;
  readonly log: Logger;
}

/** Looks at every target of the tenants it is given: at once, and then again and again. One for each probe. */
export class ProbeRunner<Params> {
  readonly probe: Probe<Params>;
  readonly #dependencies: Dependencies;
  readonly #patience: Patience<Params>;
  readonly #assets = new Map<string, Asset<Params>>();
  readonly #watchedBy = new Map<string, readonly Watched<Params>[]>();
  /** Waiting for a turn or being looked at. */
  readonly #busy = new Set<string>();
  /** Due again while it was looked at: what is under way may have missed why. */
  readonly #again = new Set<string>();
  /** For which there was nothing to ask with. */
  readonly #unasked = new Set<string>();
  readonly #timer = new DueTimer((asset) => this.#take(asset));
  readonly #looks;
  readonly #stores = pLimit(STORED_AT_A_TIME);
  readonly #ending = new AbortController();
  #started = 0;
  readonly #answered = zeros(CHECK_VERDICTS);
  readonly #unknown = zeros(UNKNOWN_REASONS);

  constructor(probe: Probe<Params>, dependencies: Dependencies) {
    this.probe = probe;
    this.#dependencies = dependencies;
    this.#patience = new Patience(probe, (error) => {
      // Any other error may quote what it was about.
      const fault = error instanceof CredentialFault ? error.message : (error as Error).name;
      dependencies.log.warn({ probe: probe.name, fault }, 'a look failed');
    });
    this.#looks = pLimit(probe.atATime ?? AT_A_TIME);
    setMaxListeners(0, this.#ending.signal);
  }

  /** In place of what was known of the tenant. */
  watch({ config, reference }: ConfiguredTenant): void {
    const { tenantId } = config;
    this.forget(tenantId);
    const watched = this.probe.targets(config).map(({ source, params }): Watched<Params> => {
      const asset = this.probe.asset?.(params) ?? `${tenantId}/${source}`;
      return { tenantId, source, reference, params, asset };
    });
    this.#watchedBy.set(tenantId, watched);
    for (const one of watched) this.#join(one);
  }

  #join(watched: Watched<Params>): void {
    const asset = this.#assets.getOrInsertComputed(watched.asset, () => ({ watched: new Map(), seen: null }));
    asset.watched.set(keyOf(watched), watched);
    if (asset.seen) void this.#tell(watched, asset.seen);
    else this.#timer.set(watched.asset, Date.now());
  }

  async #tell(watched: Watched<Params>, seen: Seen): Promise<void> {
    const isStored = await this.#store(watched, seen);
    if (!isStored) this.hint(watched.asset);
  }

  forget(tenantId: string): void {
    for (const watched of this.#watchedBy.get(tenantId) ?? []) {
      const asset = this.#assets.get(watched.asset);
      asset?.watched.delete(keyOf(watched));
      if (asset?.watched.size !== 0) continue;
      this.#assets.delete(watched.asset);
      this.#unasked.delete(watched.asset);
      this.#timer.remove(watched.asset);
    }
    this.#watchedBy.delete(tenantId);
  }

  /** News from outside that an asset may have changed. Of one that nobody watches here it is nothing. */
  hint(asset: string): void {
    if (this.#assets.has(asset)) this.#timer.set(asset, Date.now());
  }

  /** The cadence changed: what would now be looked at too late is pulled forward. */
  quicken(): void {
    this.#timer.pullForward(Date.now() + this.#cadence().intervalMs);
  }

  status() {
    return {
      watched: this.#watchedBy.values().reduce((sum, all) => sum + all.length, 0),
      looking: this.#looks.activeCount,
      waiting: this.#looks.pendingCount,
      spared: this.#patience.open,
      unasked: this.#unasked.size,
    };
  }

  /** Looks since the start: how many, what they found, and why facts stayed unknown. */
  counts() {
    return { started: this.#started, answered: { ...this.#answered }, unknown: { ...this.#unknown } };
  }

  /** Looks under way have a moment to end: a grant that is being refreshed could be lost with the answer. */
  async close(): Promise<void> {
    this.#timer.close();
    this.#looks.clearQueue();
    const untilMs = Date.now() + CLOSE_MS_MAX;
    while (this.#looks.activeCount > 0 && Date.now() < untilMs) await sleep(CLOSE_LOOK_MS);
    this.#ending.abort();
  }

  #take(name: string): void {
    // What is due again while it is looked at has its turn after that.
    if (this.#busy.has(name)) {
      this.#again.add(name);
      return;
    }
    this.#busy.add(name);
    void this.#looks(() => this.#lookAt(name));
  }

  async #lookAt(name: string): Promise<void> {
    this.#again.delete(name);
    const first = this.#assets.get(name)?.watched.values().next().value;
    const inMs = first ? await this.#observe(first) : 0;
    this.#busy.delete(name);
    const asset = this.#assets.get(name);
    if (!asset || this.#ending.signal.aborted) return;
    const isSame = asset.watched.get(first ? keyOf(first) : '') === first;
    if (!isSame && !this.probe.asset) asset.seen = null;
    const isDue = !isSame || this.#again.has(name);
    this.#timer.set(name, Date.now() + (isDue ? 0 : inMs));
  }

  /** Answers in how many ms the next look is due. */
  async #observe(first: Watched<Params>): Promise<number> {
    const atMs = Date.now();
    this.#started++;
    const looked = await this.#patience.look(first.params, atMs, this.#ending.signal);
    if (looked.answers.length === 0) return this.#notAsked(first);
    this.#unasked.delete(first.asset);
    const verdicts = looked.answers.map((answer) => this.#verdictOf(answer));
    this.#count(looked.answers, verdicts);
    const asset = this.#assets.get(first.asset);
    // Nobody asks any more: the tenant left meanwhile, or is another instance's to look after.
    if (!asset || this.#ending.signal.aborted) return 0;
    const seen = { looked, atMs };
    if (this.probe.asset) asset.seen = seen;
    const concerned = this.probe.asset ? [...asset.watched.values()] : [first];
    const stored = await Promise.all(concerned.map((one) => this.#store(one, seen)));
    const cadence = this.#cadence();
    if (!stored.every(Boolean)) return Math.min(cadence.unknownMs, cadence.intervalMs);
    return nextLookInMs(verdicts, cadence, looked, Math.random());
  }

  #notAsked({ asset, tenantId, source }: Watched<Params>): number {
    if (!this.#unasked.has(asset)) {
      const { log } = this.#dependencies;
      log.info(
        { tenantId, source, probe: this.probe.name },
        'nothing was asked: there is no file of credentials, or somebody else is at it',
      );
    }
    this.#unasked.add(asset);
    return this.#cadence().unknownMs;
  }

  #store(watched: Watched<Params>, { looked, atMs }: Seen): Promise<boolean> {
    const { tenantId, source, reference } = watched;
    return this.#stores(() => {
      if (this.#assets.get(watched.asset)?.watched.get(keyOf(watched)) !== watched) return true;
      const { layer, name } = this.probe;
      const facts = looked.answers.map((answer) => factOf(answer, atMs));
      this.#dependencies.log.debug({ tenantId, source, probe: name }, 'looked at a source');
      return this.#dependencies.evidence.observed({
        ...{ tenantId, layer, source, facts },
        observer: name,
        causedBy: reference,
      });
    });
  }

  #cadence() {
    return this.probe.cadence(this.#dependencies.policy());
  }

  #verdictOf(answer: Answer): CheckVerdict {
    // Somebody answered, and would answer the same in a minute.
    if ('unknown' in answer) return answer.unknown === 'unrecognised_value' ? 'fail' : 'unknown';
    return this.probe.verdict?.(answer) ?? 'pass';
  }

  #count(answers: readonly Answer[], verdicts: readonly CheckVerdict[]): void {
    this.#answered[allOf(verdicts)]++;
    for (const answer of answers) if ('unknown' in answer) this.#unknown[answer.unknown]++;
  }
}

const keyOf = ({ tenantId, source }: { tenantId: string; source: string }): string => `${tenantId}/${source}`;

function zeros<Word extends string>(words: readonly Word[]): Record<Word, number> {
  return Object.fromEntries(words.map((word) => [word, 0])) as Record<Word, number>;
}
