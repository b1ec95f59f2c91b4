import {
  BrokenCircuitError,
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  handleWhen,
  type IPolicy,
  noop,
  retry,
  TaskCancelledError,
  TimeoutStrategy,
  timeout,
  wrap,
} from 'cockatiel';
import { type Answer, unknownAnswers } from './answer.ts';
import type { Looked, Probe } from './define-probe.ts';

const TIMEOUT_MS = 10_000;
const TRIES = 2;
/** So many looks in a row that reached nobody open the breaker, for this long. */
const BREAKER = { failures: 5, halfOpenAfterMs: 30_000 } as const;
/** Breakers of hosts that nobody asks any more are forgotten beyond so many. */
const BREAKERS_MAX = 1_000;

/**
 * Only these are tried again and held against a host. Whoever answered something that says nothing was asked, and what a
 * wrong declaration of one tenant brings about must not spare the host for all others.
 */
const UNREACHED: ReadonlySet<string> = new Set(['timeout', 'unreachable']);

const isTooLong = (error: unknown): boolean => error instanceof TaskCancelledError;

/**
 * How a probe waits: a look ends after its time, is tried again when nobody was reached, and where one look after the other
 * reached nobody the rest are spared for a while. Never rejects: what went wrong is why the facts are unknown.
 */
export class Patience<Params> {
  readonly #probe: Probe<Params>;
  readonly #onFault: (error: unknown) => void;
  readonly #breakers = new Map<string, CircuitBreakerPolicy>();
  readonly #unreached = handleWhen(isTooLong).orWhenResult((looked) => this.#isUnreached(looked as Looked));
  readonly #retry: IPolicy;
  readonly #timeout: IPolicy;

  constructor(probe: Probe<Params>, onFault: (error: unknown) => void) {
    this.#probe = probe;
    this.#onFault = onFault;
    this.#timeout = timeout(probe.timeoutMs ?? TIMEOUT_MS, TimeoutStrategy.Aggressive);
    this.#retry = retry(this.#unreached, {
      maxAttempts: (probe.tries ?? TRIES) - 1,
      backoff: new ExponentialBackoff({ initialDelay: 200, maxDelay: 2_000 }),
    });
  }

  async look(params: Params, nowMs: number, signal: AbortSignal): Promise<Looked> {
    const fate = this.#probe.fate?.(params);
    // The breaker is outermost: it counts looks, and not their tries.
    const policy = wrap(fate === undefined ? noop : this.#breakerOf(fate), this.#retry, this.#timeout);
    try {
      return await policy.execute(
        (context) => this.#probe.look({ params, nowMs, signal: context.signal }),
        signal,
      );
    } catch (error) {
      const reason = reasonOf(error);
      if (reason === 'probe_fault') this.#onFault(error);
      return { answers: unknownAnswers(this.#probe.facts, reason) };
    }
  }

  /** How many breakers are open: what shares one of these fates is spared for now. */
  get open(): number {
    return this.#breakers
      .values()
      .filter(({ state }) => state === CircuitState.Open)
      .toArray().length;
  }

  #isUnreached({ answers }: Looked): boolean {
    const own = answers.filter(({ fact }) => this.#probe.facts.includes(fact));
    const isSo = (answer: Answer) => 'unknown' in answer && UNREACHED.has(answer.unknown);
    return own.length > 0 && own.every(isSo);
  }

  #breakerOf(fate: string): CircuitBreakerPolicy {
    const known = this.#breakers.get(fate);
    if (known) {
      // Used last, forgotten last.
      this.#breakers.delete(fate);
      this.#breakers.set(fate, known);
      return known;
    }
    if (this.#breakers.size >= BREAKERS_MAX) this.#breakers.delete(this.#breakers.keys().next().value!);
    const breaker = circuitBreaker(this.#unreached, {
      halfOpenAfter: BREAKER.halfOpenAfterMs,
      breaker: new ConsecutiveBreaker(BREAKER.failures),
    });
    this.#breakers.set(fate, breaker);
    return breaker;
  }
}

function reasonOf(error: unknown): 'timeout' | 'unreachable' | 'probe_fault' {
  if (error instanceof TaskCancelledError) return 'timeout';
  return error instanceof BrokenCircuitError ? 'unreachable' : 'probe_fault';
}
