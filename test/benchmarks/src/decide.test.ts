import { expect, test } from 'vitest';
import { decideContest } from './decide.ts';

// Throws where an engine comes to another outcome of any gate than decide does.
const { contenders, besides = [], opsPerPass } = await decideContest.prepare();

test('all engines come to the same ten outcomes as decide in every case, or nothing would be measured', () => {
  expect(opsPerPass).toBeGreaterThan(40);
  expect(contenders.map(({ name }) => name)).toEqual(['decide', 'casbin', 'json-rules-engine', 'cedar-wasm']);
  expect(besides).toHaveLength(4);
});

test('every way gives the same each time, and those of the bound give the same hardness in all', async () => {
  for (const { pass } of [...contenders, ...besides]) expect(await pass()).toBe(await pass());
  const [, casbin, ...others] = await Promise.all(contenders.map(({ pass }) => pass()));
  for (const sum of others) expect(sum).toBe(casbin);
  const [ours, ...alone] = await Promise.all(besides.map(({ pass }) => pass()));
  expect(ours).toBe(await contenders[0]!.pass());
  expect(new Set(alone).size).toBe(1);
});
