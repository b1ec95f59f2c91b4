import type { CheckVerdict } from '@orchestrate/canon';
import type { Looked, ProbeCadence } from './define-probe.ts';

const JITTER = 0.1;

/**
 * How long until a source is looked at again, spread by a tenth; `random` is from 0 to 1. The spread does not reach back
 * before `ttlMs`, since until then the same is repeated. A longer one does not hold a look back: it costs one question,
 * while a repair that is seen late keeps a healthy tenant waiting. Nor does a shorter one bring it forward. What
 * asked for peace, `waitMs`, has it.
 */
export function nextLookInMs(
  verdicts: readonly CheckVerdict[],
  cadence: ProbeCadence,
  { ttlMs = 0, waitMs = 0 }: Pick<Looked, 'ttlMs' | 'waitMs'>,
  random: number,
): number {
  const plainMs = Math.min(cadence.intervalMs, hurryMs(verdicts, cadence));
  const answeredMs = verdicts.includes('unknown') ? 0 : ttlMs;
  const earliestMs = Math.max(plainMs * (1 - JITTER), Math.min(answeredMs, plainMs));
  const latestMs = plainMs * (1 + JITTER);
  return Math.max(waitMs, Math.round(earliestMs + (latestMs - earliestMs) * random));
}

function hurryMs(
  verdicts: readonly CheckVerdict[],
  { intervalMs, failingMs, unknownMs }: ProbeCadence,
): number {
  if (verdicts.includes('unknown')) return unknownMs;
  return verdicts.includes('fail') ? failingMs : intervalMs;
}
