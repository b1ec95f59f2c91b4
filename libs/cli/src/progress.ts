import { Presets, SingleBar } from 'cli-progress';

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
        format: `${label} {bar} {percentage} %  {done} ${unit}  {eta_formatted} left`,
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
    if (this.#shown) this.#bar.update(percent, { done });
    else if (Date.now() - this.#startedMs > SHOW_AFTER_MS) {
      this.#shown = true;
      this.#bar.start(100, percent, { done });
    }
  }

  done(): void {
    if (this.#shown) this.#bar.stop();
  }
}
