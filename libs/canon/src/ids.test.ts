import { expect, test } from 'vitest';
import { ID_PATTERN, PARTITIONS, partitionOf } from './ids.ts';

// 32-bit FNV-1a, the first two from the reference vectors of draft-eastlake-fnv: 0xe40c292c, 0xbf9cf968.
test.each([
  ['a', 44],
  ['foobar', 40],
  ['acme', 47],
  ['aurora', 1],
  ['tenant-0001', 43],
])('%s lives where the broker puts it, in partition %i [T16]', (tenantId, partition) => {
  expect(partitionOf(tenantId)).toBe(partition);
});

test('tenants spread over all partitions [T16]', () => {
  const used = new Set(Array.from({ length: 2_000 }, (_, n) => partitionOf(`tenant-${n}`)));
  expect(PARTITIONS).toBe(64);
  expect(used.size).toBe(64);
});

test('nothing that means something in a subject is an id [A12]', () => {
  for (const good of ['a', '0', 'acme-eu_2', 'a'.repeat(64)]) expect(good).toMatch(ID_PATTERN);
  for (const bad of ['', 'a.b', 'a*', 'a>', 'a b', 'Acme', '-a', '_all', 'ä', 'a\n', 'a'.repeat(65)]) {
    expect(bad).not.toMatch(ID_PATTERN);
  }
});
