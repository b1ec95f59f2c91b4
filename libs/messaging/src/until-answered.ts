import { setTimeout as sleep } from 'node:timers/promises';
import { UnsupportedVersion } from './codec.ts';
import { PublishAbandoned } from './folding-publisher.ts';

const AGAIN_MS_MAX = 1_000;

/**
 * Asks the server again until it answers: what an input means must not hang on whether the server was there just now.
 * Throws PublishAbandoned once nobody waits for the answer any more, and UnsupportedVersion.
 */
export async function untilAnswered<T>(ask: () => Promise<T>, abandoned: () => boolean): Promise<T> {
  for (let backoffMs = 20; ; backoffMs = Math.min(backoffMs * 2, AGAIN_MS_MAX)) {
    if (abandoned()) throw new PublishAbandoned('closed while reading');
    try {
      return await ask();
    } catch (error) {
      if (error instanceof UnsupportedVersion) throw error;
      await sleep(backoffMs);
    }
  }
}
