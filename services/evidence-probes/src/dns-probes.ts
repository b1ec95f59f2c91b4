import { allOf, CHECK_VERDICTS } from '@orchestrate/canon';
import type { Logger } from '@orchestrate/service-kit';
import pLimit from 'p-limit';
import { ANSWER_UNKNOWNS, type Answer, verdictOf } from './dns/answer.ts';
import { probeDomain } from './dns/probe-domain.ts';
import type { TxtResolver } from './dns/resolver.ts';
import { DueTimer } from './due-timer.ts';
import type { ConfiguredTenant } from './handle-tenant-config.ts';
import { nextProbeInMs, type ProbeCadence } from './probe-schedule.ts';
import type { EvidencePublisher, ObservedFact } from './publish-evidence.ts';

const AT_A_TIME = 32;

type DomainConfig = ConfiguredTenant['config']['domains'][number];

interface Watched {
  readonly tenantId: string;
  readonly reference: string;
  readonly domain: DomainConfig;
}

interface Dependencies {
  readonly resolver: TxtResolver;
  readonly evidence: EvidencePublisher;
  readonly cadence: () => ProbeCadence;
  readonly log: Logger;
}

/** Looks at every enabled domain of the tenants it is given: at once, and then again and again. */
export class DnsProbes {
  readonly #dependencies: Dependencies;
  readonly #watched = new Map<string, Watched>();
  readonly #keysOf = new Map<string, readonly string[]>();
  /** Waiting for a turn or being looked at. */
  readonly #busy = new Set<string>();
  readonly #timer = new DueTimer((key) => this.#take(key));
  readonly #limit = pLimit(AT_A_TIME);
  #started = 0;
  readonly #answered = zeros(CHECK_VERDICTS);
  readonly #unknown = zeros(ANSWER_UNKNOWNS);
  #closed = false;

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
  }

  /** In place of what was known of the tenant. */
  watch({ config, reference }: ConfiguredTenant): void {
    const { tenantId } = config;
    this.forget(tenantId);
    const enabled = config.domains.filter((domain) => domain.enabled);
    const keys = enabled.map((domain) => `${tenantId}/${domain.id}`);
    this.#keysOf.set(tenantId, keys);
    const nowMs = Date.now();
    for (const [index, domain] of enabled.entries()) {
      const key = keys[index]!;
      this.#watched.set(key, { tenantId, reference, domain });
      this.#timer.set(key, nowMs);
    }
  }

  forget(tenantId: string): void {
    for (const key of this.#keysOf.get(tenantId) ?? []) {
      this.#watched.delete(key);
      this.#timer.remove(key);
    }
    this.#keysOf.delete(tenantId);
  }

  /** The cadence changed: what would now be looked at too late is pulled forward. */
  quicken(): void {
    this.#timer.pullForward(Date.now() + this.#dependencies.cadence().intervalMs);
  }

  status() {
    return {
      domains: this.#watched.size,
      probing: this.#limit.activeCount,
      waiting: this.#limit.pendingCount,
    };
  }

  /** Looks since the start: how many, what they found, and why facts stayed unknown. */
  counts() {
    return { started: this.#started, answered: { ...this.#answered }, unknown: { ...this.#unknown } };
  }

  close(): void {
    this.#closed = true;
    this.#timer.close();
    this.#limit.clearQueue();
  }

  #take(key: string): void {
    // a domain that was configured anew while it was looked at has its turn after that
    if (this.#busy.has(key)) return;
    this.#busy.add(key);
    void this.#limit(() => this.#probe(key));
  }

  async #probe(key: string): Promise<void> {
    const watched = this.#watched.get(key);
    const inMs = watched ? await this.#observe(watched) : 0;
    this.#busy.delete(key);
    const now = this.#watched.get(key);
    if (now) this.#timer.set(key, now === watched ? Date.now() + inMs : Date.now());
  }

  /** Answers in how many ms the next look is due. */
  async #observe({ tenantId, reference, domain }: Watched): Promise<number> {
    const { resolver, evidence, cadence, log } = this.#dependencies;
    const observedAtMs = Date.now();
    this.#started++;
    const answers = await probeDomain({
      domain: domain.name,
      egressIp: domain.egressIp,
      dkimSelectors: domain.dkimSelectors,
      resolver,
    });
    this.#count(answers);
    // Nobody asks any more: the tenant left meanwhile, or is another instance's to look after.
    if (this.#closed || !this.#watched.has(`${tenantId}/${domain.id}`)) return 0;
    const isStored = await evidence.observed({
      tenantId,
      layer: 'sending_domain',
      source: domain.id,
      observer: 'dns-probe',
      causedBy: reference,
      facts: answers.map((answer) => factOf(answer, observedAtMs)),
    });
    log.debug({ tenantId, source: domain.id, isStored }, 'looked at a domain');
    const wanted = cadence();
    return isStored
      ? nextProbeInMs(answers, wanted, Math.random())
      : Math.min(wanted.unknownMs, wanted.intervalMs);
  }

  #count(answers: readonly Answer[]): void {
    this.#answered[allOf(answers.map(verdictOf))]++;
    for (const answer of answers) if ('unknown' in answer) this.#unknown[answer.unknown]++;
  }
}

function zeros<Word extends string>(words: readonly Word[]): Record<Word, number> {
  return Object.fromEntries(words.map((word) => [word, 0])) as Record<Word, number>;
}

function factOf(answer: Answer, observedAtMs: number): ObservedFact {
  const { fact } = answer;
  return 'unknown' in answer
    ? { fact, unknown: answer.unknown, observedAtMs }
    : { fact, value: answer.value, observedAtMs, evidenceDigest: answer.digest };
}
