import { expect, test } from 'vitest';
import {
  FACTS,
  type FactSpec,
  factSpec,
  factValueProblem,
  isSampleReason,
  UNKNOWN_REASONS,
} from './facts.ts';
import { CANONICAL_BLOCKER_LAYERS } from './words.ts';

const everyFact = CANONICAL_BLOCKER_LAYERS.flatMap((layer) =>
  Object.entries(FACTS[layer] as Record<string, FactSpec>).map(([fact, spec]) => ({ layer, fact, spec })),
);

test('a refused value names the fact and what it takes instead [L5]', () => {
  expect(factValueProblem('billing', 'plan', 'gold')).toBe(
    '`plan` is no fact of billing; its facts are subscriptionStatus, paymentMethod, entitlementRemaining, pastDueDays, trialEndsAt',
  );
  expect(factValueProblem('mailbox', 'canSend', 'yes')).toBe('`canSend` takes true or false, not `yes`');
  expect(factValueProblem('sending_domain', 'dmarc', 'maybe')).toBe(
    '`dmarc` takes one of present, none, multiple, invalid, not `maybe`',
  );
  expect(factValueProblem('provider_health', 'errorRatio5m', 5)).toBe(
    '`errorRatio5m` takes a number of share from 0 to 1, not `5`',
  );
});

test('a refused value is repeated as far as it helps, and no further [L5]', () => {
  const long = 'x'.repeat(65);
  const short = `not \`${'x'.repeat(64)}\``;
  expect(factValueProblem('sending_domain', 'dmarc', long)?.endsWith(short)).toBe(true);
  expect(factValueProblem('provider_health', 'errorRatio5m', long)?.endsWith(short)).toBe(true);
});

test('every fact takes each of its own values and none of another kind [L5]', () => {
  for (const { layer, fact, spec } of everyFact) {
    const good =
      spec.kind === 'enum' ? spec.values : spec.kind === 'boolean' ? [true, false] : [spec.min, spec.max];
    for (const value of good) expect(factValueProblem(layer, fact, value)).toBeNull();
    const bad =
      spec.kind === 'enum'
        ? ['', 'unheard_of', 1, true]
        : spec.kind === 'boolean'
          ? ['true', 1]
          : ['1', true];
    const outside = spec.kind === 'number' ? [-1, Number.NaN, Number.POSITIVE_INFINITY, spec.max * 2] : [];
    for (const value of [...bad, ...outside, null, undefined, {}, []]) {
      expect(factValueProblem(layer, fact, value), `${layer}.${fact} = ${String(value)}`).toContain(
        `\`${fact}\``,
      );
    }
  }
});

test('a name that every object inherits is no fact [L5]', () => {
  for (const name of ['constructor', 'toString', '__proto__']) {
    expect(factSpec('billing', name)).toBeUndefined();
    expect(factValueProblem('billing', name, 1)).toContain('no fact of billing');
  }
});

test('a subscription status that Stripe does not have is refused, never mapped to a neighbour [L5]', () => {
  const spec = factSpec('billing', 'subscriptionStatus');
  expect(spec?.kind === 'enum' && spec.values).toHaveLength(8);
  expect(factValueProblem('billing', 'subscriptionStatus', 'cancelled')).not.toBeNull();
});

test('only a sample that is still growing counts as one; no fault, silence or age does [L9]', () => {
  expect(UNKNOWN_REASONS.filter(isSampleReason)).toEqual([
    'insufficient_sample',
    'unobservable',
    'never_ran',
    'no_delivered_proof',
  ]);
});
