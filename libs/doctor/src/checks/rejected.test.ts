import { REJECTION_REASONS } from '@orchestrate/contracts';
import { expect, test } from 'vitest';
import { judgeRejected, REASON_MEANINGS } from './rejected.ts';

test('nothing rejected is ok', () => {
  expect(judgeRejected({ counts: {}, newest: [], nowMs: 0 })).toMatchObject({
    status: 'ok',
    data: { total: 0 },
  });
});

test.each(REJECTION_REASONS)('%s is explained in the remedy', (reason) => {
  const judged = judgeRejected({ counts: { [`rejected.EVIDENCE.${reason}`]: 3 }, newest: [], nowMs: 0 });
  expect(judged).toMatchObject({ status: 'warn', data: { total: 3 } });
  expect(judged.detail).toBe(`3 inputs rejected (EVIDENCE ${reason} 3)`);
  expect(judged.remedy).toContain(REASON_MEANINGS[reason]);
});
