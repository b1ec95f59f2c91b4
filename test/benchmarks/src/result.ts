/** What a benchmark is judged by. */
export interface Result {
  readonly bench: string;
  readonly ours: number;
  /** Measured in the same run, or a fixed limit where nothing is compared. */
  readonly reference: number;
  /** What is bound. */
  readonly ratio: number;
  /** Of `ours` and `reference`. */
  readonly unit: string;
  readonly pass: boolean;
}

/** How often the reference goes into ours, where more is better. */
export function atLeast(
  bench: string,
  { ours, reference, unit }: Pick<Result, 'ours' | 'reference' | 'unit'>,
  ratioMin: number,
  ratio = ours / reference,
): Result {
  return { bench, ours, reference, ratio, unit, pass: ratio >= ratioMin };
}

/** How often the reference goes into ours, where less is better. */
export function atMost(
  bench: string,
  { ours, reference, unit }: Pick<Result, 'ours' | 'reference' | 'unit'>,
  ratioMax: number,
  ratio = ours / reference,
): Result {
  return { bench, ours, reference, ratio, unit, pass: ratio <= ratioMax };
}

/** Something that has a limit of its own: the limit is the reference. */
export function withinLimit(bench: string, ours: number, limit: number, unit: string): Result {
  return atMost(bench, { ours, reference: limit, unit }, 1);
}
