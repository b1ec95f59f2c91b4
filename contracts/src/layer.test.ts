import { expect, test } from 'vitest';
import { conditionFromWire, layerConditioned } from './layer.ts';
import { AT_MS, condition, envelope } from './message.test-support.ts';

const message = { ...envelope(), ...condition, inputs: { EVIDENCE: 1, CONFIG: 2, OPERATOR: 0 }, at: AT_MS };

test('a condition comes off the wire as it went on [A9]', () => {
  const read = layerConditioned.lenient.parse(JSON.parse(JSON.stringify(message)));
  expect(conditionFromWire(read)).toEqual(condition);
});

test('a reason, a state or a cause in free words cannot be told [A4]', () => {
  const refused = (change: object) =>
    layerConditioned.strict.safeParse({ ...message, ...change }).success === false;
  expect(refused({ reason: 'because Ann said so' })).toBe(true);
  expect(refused({ state: 'fine' })).toBe(true);
  expect(refused({ causes: { ...condition.causes, holds: { 'ask Ann': { sinceMs: 1 } } } })).toBe(true);
  expect(refused({ facts: [{ ...condition.facts[0], value: 'Ann <ann@example.com>' }] })).toBe(true);
});
