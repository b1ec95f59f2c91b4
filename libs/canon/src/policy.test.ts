import { expect, test } from 'vitest';
import { DEFAULT_POLICY_JSON, POLICY } from './dispatch-case.test-support.ts';
import { SECTORS } from './facts.ts';
import { policyDigestOf, policySchema } from './policy.ts';

test('the policy that is shipped is a policy, and says something of every sector', () => {
  expect(policySchema.safeParse(DEFAULT_POLICY_JSON).error).toBeUndefined();
  for (const sector of SECTORS) expect(POLICY.sectorFloors[sector]).toBeDefined();
  for (const sector of POLICY.regulatedSectors) {
    expect(POLICY.sectorFloors[sector], sector).toBe('approval_required');
  }
});

test('a policy with several errors reports all of them, each by its place', () => {
  const broken = structuredClone(DEFAULT_POLICY_JSON) as Record<string, Record<string, unknown>>;
  broken.pacing!.leaveFactor = 90;
  broken.maxAgeSec!.token = 30;
  broken.degradations!.mailbox_limited = { maxLink: 1 };
  delete broken.heartbeatMaxSec;
  const { error } = policySchema.safeParse(broken);
  expect(error?.issues.map((issue) => issue.path.join('.')).toSorted()).toEqual([
    'degradations.mailbox_limited',
    'heartbeatMaxSec',
    'maxAgeSec.token',
    'pacing.leaveFactor',
  ]);
});

test('a policy may require more facts, but only such as there are', () => {
  const requiring = (alsoRequired: object) =>
    policySchema.safeParse({ ...(DEFAULT_POLICY_JSON as object), alsoRequired });
  expect(requiring({ mailbox: ['senderAgeDays'] }).success).toBe(true);
  expect(requiring({ mailbox: ['age'] }).error?.issues[0]).toMatchObject({
    path: ['alsoRequired', 'mailbox', 0],
    message: '`age` is no fact of mailbox',
  });
  expect(requiring({ inbox: [] }).success).toBe(false);
});

test('equal thresholds have equal digests however the file is written, other ones have not', () => {
  const reordered = Object.fromEntries(Object.entries(POLICY).toReversed()) as typeof POLICY;
  expect(policyDigestOf(reordered)).toBe(policyDigestOf(POLICY));
  const changed = { ...POLICY, heartbeatMaxSec: POLICY.heartbeatMaxSec + 1 };
  expect(policyDigestOf(changed)).not.toBe(policyDigestOf(POLICY));
});
