import type { Answer } from '../probe/answer.ts';
import { RETRY_AFTER_SEC_MAX } from '../probe/retry-after.ts';

export const NOT_THROTTLED: readonly Answer[] = [{ fact: 'throttled', value: false }];

/** Without a wait of its own, a throttle must not be read with that of an earlier one. */
export function throttledFor(waitSec: number | null): Answer[] {
  return [
    { fact: 'throttled', value: true },
    waitSec === null
      ? { fact: 'retryAfterSec', unknown: 'no_answer' }
      : { fact: 'retryAfterSec', value: Math.min(waitSec, RETRY_AFTER_SEC_MAX) },
  ];
}
