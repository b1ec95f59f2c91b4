import type { Contender } from './measure.ts';

export interface Prepared {
  /** Ours first, then the references. */
  readonly contenders: readonly Contender[];
  /** Measured and shown beside them, and outside the bound: they do more or less than the contenders. */
  readonly besides?: readonly Contender[];
  /** All of them do so many operations in a pass. */
  readonly opsPerPass: number;
}

export interface Bench {
  readonly name: string;
  readonly about: string;
  /** How many times faster than the fastest reference it has to be. */
  readonly ratioMin: number;
  readonly prepare: () => Promise<Prepared>;
}
