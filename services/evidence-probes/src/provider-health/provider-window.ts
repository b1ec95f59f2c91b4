import type { ProviderLook } from './ask-provider.ts';

export const WINDOW_MS = 300_000;
/** Of each window, the newest: more than three looks a second would say nothing new. */
export const SAMPLES_MAX = 1_000;
const PERCENTILE = 0.95;

interface Sample {
  /** When the look began, ms since the epoch. */
  readonly atMs: number;
  readonly elapsedMs: number;
  readonly isError: boolean;
}

/** The answered looks of the last five minutes. Begins empty: `[]`. */
export type ProviderWindow = readonly Sample[];

export interface ProviderFigures {
  readonly samples5m: number;
  /** Nearest rank. Absent without a sample, as is the ratio. */
  readonly p95Ms?: number;
  readonly errorRatio5m?: number;
}

/**
 * A look that reached nobody is no sample: neither its silence nor its failure is the provider's. One whose answer
 * broke off at the timeout counts with the time it had, so that the slowest are not left out.
 */
export function withLook(window: ProviderWindow, look: ProviderLook, nowMs: number): ProviderWindow {
  const recent = within(window, nowMs);
  if (look.kind === 'unknown') return recent;
  const sample = { atMs: nowMs, elapsedMs: look.elapsedMs, isError: look.errorClass !== 'none' };
  return [...recent, sample].slice(-SAMPLES_MAX);
}

export function figuresOf(window: ProviderWindow, nowMs: number): ProviderFigures {
  const samples = within(window, nowMs);
  if (samples.length === 0) return { samples5m: 0 };
  const elapsed = samples.map(({ elapsedMs }) => elapsedMs).sort((a, b) => a - b);
  return {
    samples5m: samples.length,
    p95Ms: elapsed[Math.ceil(PERCENTILE * elapsed.length) - 1]!,
    errorRatio5m: samples.filter(({ isError }) => isError).length / samples.length,
  };
}

/** A clock that was set back leaves samples of the future behind, which would never grow old. */
function within(window: ProviderWindow, nowMs: number): ProviderWindow {
  return window.filter(({ atMs }) => atMs <= nowMs && nowMs - atMs <= WINDOW_MS);
}
