import { setTimeout as sleep } from 'node:timers/promises';
import { PublishRefused, PublishUncertain } from '@orchestrate/messaging';

const IN_FLIGHT_MAX = 256;
const PAUSE_MS = 100;
const ACK_MS_MAX = 5_000;

export interface Writes {
  /** What is written, as a person would call it. */
  readonly what: string;
  /** How long a server that does not answer is asked again. */
  readonly patienceMs: number;
}

/** The server takes no more, or is not there: what is stored stays, and the same import again does the rest. */
export class ImportStopped extends Error {
  readonly code: 'disconnected' | 'refused';

  constructor(stored: number, what: string, cause: ServerError) {
    const isRefused = cause instanceof PublishRefused;
    const why = isRefused
      ? `nats-server refused more ${what} after ${stored} (${cause.message})`
      : `disconnected from nats-server after ${stored} stored ${what}`;
    super(`the import stopped: ${why}; run it again, nothing is counted twice`, { cause });
    this.code = isRefused ? 'refused' : 'disconnected';
  }
}

/**
 * Puts each item, many of them in flight at a time, and ends with the first failure: an ImportStopped when it is the
 * server's. A put may be repeated when nobody knows whether it was stored, so putting twice has to mean the same.
 */
export async function writeEach<T>(
  items: Iterable<T> | AsyncIterable<T>,
  writes: Writes,
  put: (item: T, timeoutMs: number) => Promise<unknown>,
): Promise<void> {
  const flight = new Flight();
  let stored = 0;
  const write = async (item: T): Promise<void> => {
    const untilMs = Date.now() + writes.patienceMs;
    for (;;) {
      try {
        await put(item, Math.min(ACK_MS_MAX, writes.patienceMs));
        stored++;
        return;
      } catch (error) {
        if (error instanceof PublishUncertain && Date.now() < untilMs) await sleep(PAUSE_MS);
        else throw isOfServer(error) ? new ImportStopped(stored, writes.what, error) : error;
      }
    }
  };
  try {
    for await (const item of items) {
      if (flight.isFull) await flight.room();
      flight.check();
      flight.start(write(item));
    }
  } finally {
    await flight.over();
  }
  flight.check();
}

type ServerError = PublishUncertain | PublishRefused;
const isOfServer = (error: unknown): error is ServerError =>
  error instanceof PublishUncertain || error instanceof PublishRefused;

/** Work that is under way, so much of it at a time. */
class Flight {
  #running = 0;
  #failure: { readonly error: unknown } | undefined;
  #ended: (() => void) | undefined;

  /** Throws what failed, so that nothing more is begun. */
  check(): void {
    if (this.#failure) throw this.#failure.error;
  }

  get isFull(): boolean {
    return this.#running >= IN_FLIGHT_MAX;
  }

  async room(): Promise<void> {
    while (this.isFull) await this.#oneEnds();
  }

  async over(): Promise<void> {
    while (this.#running > 0) await this.#oneEnds();
  }

  start(work: Promise<void>): void {
    this.#running++;
    const end = (failure?: { readonly error: unknown }) => {
      this.#failure ??= failure;
      this.#running--;
      this.#ended?.();
    };
    work.then(
      () => end(),
      (error: unknown) => end({ error }),
    );
  }

  #oneEnds(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ended = resolve;
    return promise;
  }
}
