import { PARTITIONS } from '@orchestrate/canon';
import { expect, test } from 'vitest';
import { judgeMarks, type MarksFound, type MarksWanted } from './marks.ts';

const NOW_MS = 1_000_000_000;
const wanted: MarksWanted = { nowMs: NOW_MS, ageMsMax: 60_000, upForMs: 3_600_000 };

function marks(stream: string, service: string, ageMs: (p: number) => number | null): MarksFound {
  const asOfMs = new Map<number, number>();
  for (let p = 0; p < PARTITIONS; p++) {
    const age = ageMs(p);
    if (age !== null) asOfMs.set(p, NOW_MS - age);
  }
  return { stream, service, asOfMs };
}
const layers = (ageMs: (p: number) => number | null) => marks('LAYERS', 'layer-runtime', ageMs);
const truth = (ageMs: (p: number) => number | null) => marks('TRUTH', 'truth-aggregator', ageMs);
const fresh = () => 60_000;

test('a mark of two cadences is fresh, one of a millisecond more is stale', () => {
  expect(judgeMarks([layers(fresh), truth(fresh)], wanted)).toMatchObject({ status: 'ok' });
  const judged = judgeMarks([layers(fresh), truth((p) => (p === 7 ? 60_001 : 0))], wanted);
  expect(judged).toMatchObject({
    status: 'fail',
    data: { 'LAYERS.stale': 0, 'TRUTH.stale': 1, 'TRUTH.missing': 0, 'TRUTH.oldestMs': 60_001 },
  });
  expect(judged.detail).toContain('TRUTH: 1 of 64 marks stale');
  expect(judged.detail).not.toContain('LAYERS');
  expect(judged.remedy).toContain('look at truth-aggregator');
});

test('the first service on the way of a fact is the first to look at', () => {
  const judged = judgeMarks([layers(() => 90_000), truth(() => 90_000)], wanted);
  expect(judged.remedy).toContain('look at layer-runtime, then truth-aggregator: is layer-runtime running');
});

test('missing marks fail, unless the platform came up just now', () => {
  const found = [layers((p) => (p < 10 ? null : 0))];
  expect(judgeMarks(found, wanted)).toMatchObject({ status: 'fail', data: { 'LAYERS.missing': 10 } });
  expect(judgeMarks(found, { ...wanted, upForMs: null })).toMatchObject({ status: 'fail' });
  expect(judgeMarks(found, { ...wanted, upForMs: 60_000 })).toMatchObject({ status: 'fail' });
  expect(judgeMarks(found, { ...wanted, upForMs: 59_000 })).toMatchObject({
    status: 'warn',
    detail: expect.stringContaining('came up 59 s ago'),
    remedy: 'look again in 1 s',
  });
});

test('no marks at all are not all marks fresh', () => {
  expect(judgeMarks([layers(() => null)], wanted)).toMatchObject({
    status: 'fail',
    data: { 'LAYERS.missing': 64 },
  });
});
