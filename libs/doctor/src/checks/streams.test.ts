import { expect, test } from 'vitest';
import { judgeStreams, type StreamsFound } from './streams.ts';

const found = (overrides: Partial<StreamsFound> = {}): StreamsFound => ({
  declared: ['EVIDENCE', 'TRUTH'],
  differences: [],
  fills: [
    { stream: 'EVIDENCE', bytes: 10, maxBytes: 100 },
    { stream: 'TRUTH', bytes: 5, maxBytes: 100 },
  ],
  ...overrides,
});

test.each([
  [79, 'ok'],
  [80, 'warn'],
  [100, 'warn'],
])('a stream at %d percent is %s', (bytes, status) => {
  const judged = judgeStreams(found({ fills: [{ stream: 'TRUTH', bytes, maxBytes: 100 }] }));
  expect(judged).toMatchObject({ status, data: { fullest: 'TRUTH', fullestShare: bytes / 100 } });
});

test('a stream without a limit is never full', () => {
  const fills = [{ stream: 'TRUTH', bytes: 1e12, maxBytes: -1 }];
  expect(judgeStreams(found({ fills }))).toMatchObject({ status: 'ok', data: { fullest: null } });
});

test('what is missing, different and nearly full is named together', () => {
  const judged = judgeStreams(
    found({
      differences: [
        { kind: 'missing', stream: 'TRUTH' },
        { kind: 'different', stream: 'EVIDENCE', field: 'max_bytes', wanted: 5, found: 6 },
        {
          kind: 'different',
          stream: 'EVIDENCE',
          field: 'subject_transform',
          wanted: undefined,
          found: { src: 'a' },
        },
      ],
      fills: [{ stream: 'EVIDENCE', bytes: 95, maxBytes: 100 }],
    }),
  );
  expect(judged).toMatchObject({ status: 'fail', data: { missing: 1, different: 1 } });
  expect(judged.detail).toBe(
    'TRUTH is missing; EVIDENCE has max_bytes 6 instead of 5; EVIDENCE has subject_transform {"src":"a"} instead of unset; EVIDENCE at 95 % of 0 MiB',
  );
  expect(judged.remedy).toMatch(/orchestrate provision.*max_bytes/);
});

test('streams that nobody declared are told and do no harm', () => {
  const judged = judgeStreams(found({ declared: ['EVIDENCE'] }));
  expect(judged).toMatchObject({ status: 'ok', data: { undeclared: 'TRUTH' } });
});
