import type { Contender } from './measure.ts';

export interface Bench {
  readonly name: string;
  readonly about: string;
  /** How many times faster than the fastest reference it has to be. */
  readonly ratioMin: number;
  /** Ours first, then the references; all of them do `opsPerPass` operations in a pass. */
  readonly prepare: () => Promise<{ readonly contenders: readonly Contender[]; readonly opsPerPass: number }>;
}
