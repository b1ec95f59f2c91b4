import { expect, test } from 'vitest';
import { POLICY, Story, T0 } from './layer-source.test-support.ts';
import { LayerSource } from './layer-source.ts';

test('a layer refuses an event that could only lead where it can never be [L12]', () => {
  expect(
    Story.ready('billing').source.receive(
      { type: 'adverse_event', atMs: T0, cause: 'x', untilMs: T0 },
      POLICY,
    ),
  ).toBeNull();
});

test('a source that is switched off keeps its condition and says so [L36]', () => {
  const { source } = Story.ready('mailbox');
  expect(source.withEnabled(true)).toBe(source);
  expect(source.withEnabled(false).condition(POLICY, T0)).toEqual({
    ...source.condition(POLICY, T0),
    enabled: false,
  });
});

test('a fact that became required since the last condition is unknown, not forgotten [L8 L36]', () => {
  const { condition } = Story.ready('campaign');
  const older = { ...condition, facts: condition.facts.filter((fact) => fact.fact !== 'bindings') };
  expect(LayerSource.restore(older).condition(POLICY, T0)).toMatchObject({
    state: 'unknown',
    reason: 'never_observed',
  });
});

// Random histories: what a layer may be told, in an order that nobody chose.
