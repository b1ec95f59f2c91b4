import { Presets, SingleBar } from 'cli-progress';
import { durationOf } from './print.ts';

/** Work that is done sooner shows no bar: it would only flicker. */
const SHOW_AFTER_MS = 500;

/** A bar on stderr while work takes long; silent where no terminal is. */
export class Progress {
  readonly #startedMs = Date.now();
  readonly #bar: SingleBar;
  #shown = false;

  /** @param label such as `importing leads.csv` @param unit such as `rows`: what `done` counts */
  constructor(label: string, unit: string) {
    this.#bar = new SingleBar(
      {
        stream: process.stderr,
        format: `${label} {bar} {percentage} %  {done} ${unit}  {left} left`,
        barsize: 28,
        hideCursor: true,
        clearOnComplete: true,
        noTTYOutput: false,
      },
      Presets.shades_classic,
    );
  }

  /** `share` from 0 to 1. */
  show(share: number, done: number): void {
    if (!process.stderr.isTTY) return;
    const percent = Math.min(100, Math.round(share * 100));
    const passedMs = Date.now() - this.#startedMs;
    const left = share > 0 ? durationOf(passedMs / share - passedMs) : '?';
    if (this.#shown) this.#bar.update(percent, { done, left });
    else if (passedMs > SHOW_AFTER_MS) {
      this.#shown = true;
      this.#bar.start(100, percent, { done, left });
    }
  }

  done(): void {
    if (this.#shown) this.#bar.stop();
  }
}

const CLEAR_LINE = '\r\u001b[K';

/** Says on a terminal what is waited for, once it takes longer than a blink. */
export async function whileWaiting<T>(what: string, work: Promise<T>): Promise<T> {
  if (!process.stderr.isTTY) return work;
  const timer = setTimeout(() => process.stderr.write(`${what} …`), SHOW_AFTER_MS);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
    process.stderr.write(CLEAR_LINE);
  }
}
