import type { Result } from './result.ts';

export interface RunOptions {
  /** Fewer and shorter rounds: under 40 s. */
  readonly quick: boolean;
  /** Services run under the profiler and leave their profiles here. */
  readonly profileDir: string | undefined;
  readonly print: (text: string) => void;
}

export interface Bench {
  readonly name: string;
  readonly about: string;
  /** Prints what it measured, and gives what is bound. */
  readonly run: (options: RunOptions) => Promise<readonly Result[]>;
}
