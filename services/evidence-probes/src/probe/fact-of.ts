import type { ObservedFact } from '../publish-evidence.ts';
import type { Answer } from './answer.ts';

/** An answer as evidence has it. */
export function factOf(answer: Answer, observedAtMs: number): ObservedFact {
  const { fact } = answer;
  if ('unknown' in answer) return { fact, unknown: answer.unknown, observedAtMs };
  const { value, digest } = answer;
  return { fact, value, observedAtMs, ...(digest === undefined ? {} : { evidenceDigest: digest }) };
}
