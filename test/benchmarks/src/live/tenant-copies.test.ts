import { expect, test } from 'vitest';
import { copyOf } from './tenant-copies.ts';

const TEXT = JSON.stringify({
  v: '1.0',
  id: '11111111-2222-4333-8444-555555555555',
  tenantId: 'seed-1',
  causedBy: 'EVIDENCE/1700000000000',
  facts: [{ fact: 'dkimKeyBits', value: 2048, observedAtMs: 1_790_000_000_500, expiresAtMs: null }],
  validUntilMs: 1_790_000_900_500,
  amount: 21_790_000_000_500,
  inputs: { EVIDENCE: 7, CONFIG: 3, OPERATOR: 0 },
});

test('a copy is of its own tenant, earlier by the same in all its times, and the same in all else', () => {
  const before = JSON.parse(TEXT);
  const copied = JSON.parse(copyOf(TEXT, { tenantId: 't000042', earlierMs: 500, positions: { CONFIG: 99 } }));
  expect(copied).toEqual({
    ...before,
    id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    tenantId: 't000042',
    facts: [{ ...before.facts[0], observedAtMs: 1_790_000_000_000 }],
    validUntilMs: 1_790_000_900_000,
    inputs: { EVIDENCE: 7, CONFIG: 99, OPERATOR: 0 },
  });
  expect(copied.id).not.toBe(before.id);
});
