import { policyDigestOf } from '@orchestrate/canon';
import { readPolicyFile } from '@orchestrate/client';
import { expect, test } from 'vitest';
import { judgePolicy } from './policy.ts';

const shipped = readPolicyFile();
const digest = policyDigestOf(shipped);

test('no policy in force fails', () => {
  expect(judgePolicy(null, digest)).toMatchObject({
    status: 'fail',
    remedy: expect.stringContaining('provision'),
  });
});

test('the shipped policy and one of your own are told apart', () => {
  expect(judgePolicy({ policy: shipped, digest }, digest)).toMatchObject({
    status: 'ok',
    data: { isShipped: true },
  });
  const own = { ...shipped, name: 'own' };
  const judged = judgePolicy({ policy: own, digest: policyDigestOf(own) }, digest);
  expect(judged).toMatchObject({ status: 'ok', data: { name: 'own', isShipped: false } });
  expect(judged.detail).toContain('not the shipped one');
});
