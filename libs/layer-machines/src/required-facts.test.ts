import type { Policy } from '@orchestrate/canon';
import { expect, test } from 'vitest';
import { answers, GOOD, POLICY, T0 } from './layer-source.test-support.ts';
import { LayerSource } from './layer-source.ts';

const stricter: Policy = { ...POLICY, alsoRequired: { mailbox: ['senderAgeDays'] } };
const created = LayerSource.create({ tenantId: 'acme', layer: 'mailbox', source: 'main', enabled: true });
const good = answers(GOOD.mailbox, T0);
const stateBy = (source: LayerSource, policy: Policy) => source.condition(policy, T0).state;

test('a policy can require one more fact: without an answer the layer is unknown [L8]', () => {
  const told = created.observe(good, stricter, T0);
  expect(stateBy(told, stricter)).toBe('unknown');
  const answered = told.observe(answers({ senderAgeDays: 90 }, T0), stricter, T0);
  expect(stateBy(answered, stricter)).toBe('ready');
});

test('a fact that was told before it was required counts as told [L8]', () => {
  const told = created.observe([...good, ...answers({ senderAgeDays: 90 }, T0)], POLICY, T0);
  expect(stateBy(told.tick(stricter, T0 + 1), stricter)).toBe('ready');
  const expired = told.tick(stricter, T0 + POLICY.maxAgeSec.scopes * 1000);
  expect(expired.condition(stricter, T0).facts.find(({ fact }) => fact === 'senderAgeDays')).toMatchObject({
    required: true,
    reason: 'expired',
  });
});

test('a policy that stops requiring it gives the layer back, and takes nothing of the catalogue away [L8]', () => {
  const strict = created.observe(good, stricter, T0);
  const back = strict.tick(POLICY, T0 + 1);
  expect(stateBy(back, POLICY)).toBe('ready');
  const required = back.condition(POLICY, T0).facts.filter((fact) => fact.required);
  expect(required.map(({ fact }) => fact).toSorted()).toEqual([
    'canReadReplies',
    'canSeeBounces',
    'canSend',
    'identityClass',
    'token',
  ]);
});
