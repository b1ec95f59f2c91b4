import type { FactValue, UnknownReason } from '@orchestrate/canon';

/**
 * One fact as the outside world tells it, or why it does not. `digest` is the SHA-256 (hex) of what the answer rests on.
 */
export type Answer =
  | { readonly fact: string; readonly value: FactValue; readonly digest?: string }
  | { readonly fact: string; readonly unknown: UnknownReason };

export function unknownAnswers(facts: readonly string[], unknown: UnknownReason): Answer[] {
  return facts.map((fact) => ({ fact, unknown }));
}
