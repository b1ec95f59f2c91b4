import { median } from './measure.ts';

/** The nearest value that at least this share of all values does not exceed; `share` is above 0 and at most 1. */
export function percentile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new RangeError('nothing has no percentile');
  if (!(share > 0 && share <= 1)) throw new RangeError(`no share: ${share}`);
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(share * sorted.length) - 1]!;
}

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}
