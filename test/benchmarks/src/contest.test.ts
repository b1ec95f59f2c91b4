import { expect, test } from 'vitest';
import { type Contest, tableOf } from './contest.ts';
import { judge } from './measure.ts';

const contest: Contest = {
  name: 'decide',
  about: 'measures decide',
  ratioMin: 5,
  prepare: () => Promise.reject(new Error('nothing is measured here')),
};
const ROWS = [
  { name: 'ours', usPerOp: 2 },
  { name: 'other', usPerOp: 8 },
];
const missed = judge('decide', ROWS, 5);
const kept = judge('decide', ROWS, 4);

test('the table says what each way takes, and whether the bound was kept', () => {
  const table = tableOf(contest, ROWS, missed);
  expect(table).toMatch(/other +8\.00 us\/op +125000 op\/s +4\.00 x/);
  expect(table).toContain('MISSED: 4.00 times as fast as the fastest other, at least 5 wanted');
  expect(tableOf({ ...contest, ratioMin: 4 }, ROWS, kept)).toContain('passed: 4.00 times');
});

test('what is outside of the bound stands below it and is compared with ours all the same', () => {
  const table = tableOf(contest, ROWS, missed, [{ name: 'less work', usPerOp: 1 }]);
  expect(table).toMatch(
    /other .*\n {2}outside of the bound:\n {2}less work +1\.00 us\/op +1000000 op\/s +0\.50 x\n/,
  );
  expect(tableOf(contest, ROWS, missed)).not.toContain('outside');
});
