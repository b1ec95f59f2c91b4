import type { CheckVerdict } from './words.ts';

/** Strong Kleene conjunction: one fail decides, else one unknown, else pass (also of nothing). */
export function allOf(verdicts: Iterable<CheckVerdict>): CheckVerdict {
  let result: CheckVerdict = 'pass';
  for (const verdict of verdicts) {
    if (verdict === 'fail') return 'fail';
    if (verdict === 'unknown') result = 'unknown';
  }
  return result;
}

/** Strong Kleene disjunction: one pass decides, else one unknown, else fail (also of nothing). */
export function anyOf(verdicts: Iterable<CheckVerdict>): CheckVerdict {
  let result: CheckVerdict = 'fail';
  for (const verdict of verdicts) {
    if (verdict === 'pass') return 'pass';
    if (verdict === 'unknown') result = 'unknown';
  }
  return result;
}
