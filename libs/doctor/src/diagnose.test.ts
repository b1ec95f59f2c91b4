import { expect, test } from 'vitest';
import { findingOf } from './diagnose.ts';
import { findingSchema } from './finding.ts';
import { surroundings } from './surroundings.test-support.ts';

const check = (run: () => Promise<never>) => ({ title: 'a title', remedy: 'a remedy', run });

test.each([
  ['rejects', () => Promise.reject(new Error('the disk said no'))],
  [
    'throws',
    () => {
      throw new Error('the disk said no');
    },
  ],
])('a check that %s fails with the sentence of its error and its remedy', async (_, run) => {
  const finding = await findingOf('fsync', check(run), surroundings());
  expect(finding).toEqual({
    check: 'fsync',
    status: 'fail',
    title: 'a title',
    detail: 'the disk said no',
    remedy: 'a remedy',
    data: {},
  });
  expect(findingSchema.parse(finding)).toEqual(finding);
});

test('an error without a sentence is a finding nevertheless', async () => {
  const finding = await findingOf(
    'fsync',
    check(() => Promise.reject(new Error(''))),
    surroundings(),
  );
  expect(findingSchema.parse(finding).status).toBe('fail');
});

test("a check that never ends is given up, and what it says too late is nobody's news", async () => {
  const late = Promise.withResolvers<never>();
  const finding = await findingOf(
    'resolver',
    check(() => late.promise),
    surroundings(),
    20,
  );
  expect(finding).toMatchObject({ status: 'fail', detail: 'not done within 0.02 s', remedy: 'a remedy' });
  late.reject(new Error('too late'));
  await new Promise((done) => setImmediate(done));
});

test('what a stranger says cannot steer the terminal that shows it', async () => {
  const run = () => Promise.reject(new Error('220 \u001b[2J\u0007hello\r\nthere'));
  const { detail } = await findingOf('mail', check(run), surroundings());
  expect(detail).toBe('220  [2J hello there');
});
