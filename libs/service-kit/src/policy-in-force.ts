import { setTimeout as sleep } from 'node:timers/promises';
import { type Policy, policyDigestOf } from '@orchestrate/canon';
import { policyActivated, policyPublished } from '@orchestrate/contracts';
import {
  type Broker,
  ContractViolation,
  decodeLenient,
  readLast,
  type StoredMessage,
  StreamFollower,
  UnsupportedVersion,
} from '@orchestrate/messaging';
import type { Logger } from './log.ts';

const FIRST_MS_MAX = 30_000;
const AGAIN_MS = 250;
const ACTIVE = policyActivated.subject(null);

export interface PolicyAndDigest {
  readonly policy: Policy;
  readonly digest: string;
}

/** The named policy is not there, or is not what its digest says. */
class UnusablePolicy extends Error {}

/** The policy that is in force, as the stream says. One that cannot be used leaves the last good one in force. */
export class PolicyInForce {
  #current: PolicyAndDigest;
  #problem: string | null = null;
  #follower: StreamFollower | undefined;
  readonly #closing = new AbortController();
  readonly #broker: Broker;
  readonly #log: Logger | undefined;
  readonly #listeners = new Set<(current: PolicyAndDigest) => void>();

  private constructor(broker: Broker, first: PolicyAndDigest, log: Logger | undefined) {
    this.#broker = broker;
    this.#current = first;
    this.#log = log;
  }

  /** Resolves with the first policy, for which it waits 30 s: a platform that is being set up has none yet. */
  static async follow(
    broker: Broker,
    options: { log?: Logger; firstMsMax?: number } = {},
  ): Promise<PolicyInForce> {
    const first = await readFirst(broker, options.firstMsMax ?? FIRST_MS_MAX);
    const followed = new PolicyInForce(broker, first.current, options.log);
    followed.#follower = await StreamFollower.start(
      broker,
      { stream: 'POLICY', filters: [ACTIVE], fromSeq: first.seq + 1 },
      (message) => followed.#handle(message),
    );
    return followed;
  }

  get current(): PolicyAndDigest {
    return this.#current;
  }

  /** Why the newest policy is not the one in force, null when it is. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Calls back after every change; the function it returns ends that. */
  onChange(listener: (current: PolicyAndDigest) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#follower?.close();
  }

  async #handle(message: StoredMessage): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        this.#put(await readNamed(this.#broker, message));
        return;
      } catch (error) {
        if (isUnusable(error)) return this.#keepLastGood(error);
        this.#log?.warn({ err: error }, 'cannot read the new policy, trying again');
        await sleep(AGAIN_MS, undefined, { signal }).catch(() => {});
      }
    }
  }

  #keepLastGood(error: Error): void {
    this.#problem = error.message;
    const digest = this.#current.digest;
    this.#log?.error(
      { err: error, digest },
      'the new policy cannot be used, the last good one stays in force',
    );
  }

  #put(next: PolicyAndDigest): void {
    this.#problem = null;
    if (next.digest === this.#current.digest) return;
    this.#current = next;
    this.#log?.info({ digest: next.digest, policy: next.policy.name }, 'another policy is in force');
    for (const listener of this.#listeners) listener(next);
  }
}

/**
 * The policy in force as the stream says now, or null when none was ever activated. Throws with the problem when the
 * one that was activated cannot be used.
 */
export async function readPolicyInForce(broker: Broker): Promise<PolicyAndDigest | null> {
  const message = await readLast(broker, 'POLICY', ACTIVE);
  return message && readNamed(broker, message);
}

async function readFirst(
  broker: Broker,
  waitMsMax: number,
): Promise<{ seq: number; current: PolicyAndDigest }> {
  const deadline = Date.now() + waitMsMax;
  for (;;) {
    let problem = new UnusablePolicy('no policy has been activated');
    try {
      const message = await readLast(broker, 'POLICY', ACTIVE);
      if (message) return { seq: message.seq, current: await readNamed(broker, message) };
    } catch (error) {
      problem = error as Error;
    }
    if (Date.now() > deadline) {
      const waited = `no usable policy in force after ${waitMsMax / 1000} s`;
      throw new Error(
        `${waited} (${problem.message}): provision the streams and a policy first, with \`orchestrate provision\``,
        {
          cause: problem,
        },
      );
    }
    await sleep(AGAIN_MS);
  }
}

async function readNamed(broker: Broker, message: StoredMessage): Promise<PolicyAndDigest> {
  const { digest } = decodeLenient(policyActivated, message.data);
  const document = await readLast(broker, 'POLICY', policyPublished.subject(digest));
  if (!document) throw new UnusablePolicy(`policy \`${digest}\` was activated but never published`);
  const { policy } = decodeLenient(policyPublished, document.data);
  const actual = policyDigestOf(policy);
  if (actual !== digest) throw new UnusablePolicy(`policy \`${digest}\` has the digest \`${actual}\``);
  return { policy, digest };
}

function isUnusable(error: unknown): error is Error {
  return (
    error instanceof UnusablePolicy ||
    error instanceof ContractViolation ||
    error instanceof UnsupportedVersion
  );
}
