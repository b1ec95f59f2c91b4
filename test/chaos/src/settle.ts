import { setTimeout as sleep } from 'node:timers/promises';
import type { Broker } from '@orchestrate/messaging';
import { check } from './check.ts';
import { checkSettled } from './checks/marks.ts';
import type { Violation } from './checks/violation.ts';
import type { Fleet } from './fleet.ts';
import type { Journal } from './journal.ts';
import { readStore, type StoreContents } from './store-contents.ts';

const AGAIN_MS = 300;
/** Readers whose requests were lost with a server may wait for several timeouts before they ask again. */
const REST_MS_MAX = 100_000;
/** A write of somebody who lost its partition may still come after all is marked. */
const LATE_MS = 500;

/** Waits until every input is below the mark of its partition; false when that takes too long. */
export async function settle(broker: Broker, withinMs: number): Promise<boolean> {
  for (const deadline = Date.now() + withinMs; Date.now() < deadline; await sleep(AGAIN_MS)) {
    const heads = await readStore(broker, 'newest').catch(() => null);
    if (heads && checkSettled(heads).length === 0) return true;
  }
  return false;
}

export interface Judged {
  readonly violations: readonly Violation[];
  readonly contents: StoreContents;
}

/** Lets everything come to rest and judges what stands there then. */
export async function settleAndCheck(
  { broker, policy }: Pick<Fleet, 'broker' | 'policy'>,
  journal: Journal,
  withinMs = REST_MS_MAX,
): Promise<Judged> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    await settle(broker, deadline - Date.now());
    await sleep(LATE_MS);
    const contents = await readStore(broker);
    const violations = check(journal.operations(), contents, policy);
    // What expired between two streams was read is in one of them and not yet in the other.
    const isMoving = violations.every(({ kind }) => kind === 'not_reflected' || kind === 'not_settled');
    if (violations.length === 0 || !isMoving || Date.now() > deadline) return { violations, contents };
  }
}
