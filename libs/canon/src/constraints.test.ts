import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mergeConstraints, permitsNothing } from './constraints.ts';
import { digestOf } from './fingerprint.ts';
import { type Constraints, constraintsSchema } from './policy.ts';

const count = fc.nat(50);
const providers = fc.uniqueArray(fc.constantFrom('google', 'microsoft', 'yahoo', 'other'));
const someConstraints = fc
  .record(
    {
      maxToday: count,
      maxPerHour: count,
      minGapSec: count,
      canary: fc.record({ size: count, holdSec: count, stopUnsub: count, stopComplaint: count }),
      recipientProvidersAllow: providers,
      verifiedRecipientsOnly: fc.boolean(),
      newProspects: fc.boolean(),
      plainTextOnly: fc.boolean(),
      openTracking: fc.boolean(),
      clickTracking: fc.boolean(),
      maxLinks: count,
      attachments: fc.boolean(),
      aiGeneration: fc.constantFrom('off', 'approved_template_only'),
      requireOneClick: fc.boolean(),
      sendDelaySec: count,
      budgetIds: fc.array(fc.constantFrom('mailbox:anna', 'mailbox:ben', 'domain:main')),
      expiresAtMs: count,
    },
    { requiredKeys: [] },
  )
  .map((one) => one as Constraints);

/** What a sender has to honour: the digest is what it echoes. */
const meaning = (...all: Constraints[]): string => digestOf(mergeConstraints(all));

test('the order in which gates name constraints never matters [G21]', () => {
  fc.assert(
    fc.property(someConstraints, someConstraints, someConstraints, (a, b, c) => {
      expect(meaning(a, b)).toBe(meaning(b, a));
      expect(meaning(mergeConstraints([a, b]), c)).toBe(meaning(a, mergeConstraints([b, c])));
    }),
  );
});

test('naming a constraint twice is naming it once [G21]', () => {
  fc.assert(
    fc.property(someConstraints, (a) => {
      expect(meaning(a, a)).toBe(meaning(a));
      expect(meaning(a, {})).toBe(meaning(a));
      expect(constraintsSchema.safeParse(mergeConstraints([a])).success).toBe(true);
    }),
  );
});

test('of two constraints the stricter one stands in every field [G21]', () => {
  const loose: Required<Constraints> = {
    maxToday: 20,
    maxPerHour: 10,
    minGapSec: 60,
    canary: { size: 20, holdSec: 60, stopUnsub: 5, stopComplaint: 2 },
    recipientProvidersAllow: ['microsoft', 'google'],
    verifiedRecipientsOnly: false,
    newProspects: true,
    plainTextOnly: false,
    openTracking: true,
    clickTracking: true,
    maxLinks: 4,
    attachments: true,
    aiGeneration: 'approved_template_only',
    requireOneClick: false,
    sendDelaySec: 0,
    budgetIds: ['mailbox:anna'],
    expiresAtMs: 2000,
  };
  const strict: Required<Constraints> = {
    maxToday: 10,
    maxPerHour: 5,
    minGapSec: 90,
    canary: { size: 10, holdSec: 90, stopUnsub: 1, stopComplaint: 1 },
    recipientProvidersAllow: ['google'],
    verifiedRecipientsOnly: true,
    newProspects: false,
    plainTextOnly: true,
    openTracking: false,
    clickTracking: false,
    maxLinks: 1,
    attachments: false,
    aiGeneration: 'off',
    requireOneClick: true,
    sendDelaySec: 30,
    budgetIds: ['domain:main', 'mailbox:anna'],
    expiresAtMs: 1000,
  };
  expect(mergeConstraints([loose, strict])).toEqual(strict);
  expect(mergeConstraints([strict, loose])).toEqual(strict);
});

test('what both allow, or neither demands, stays so [G21]', () => {
  const free: Constraints = {
    openTracking: true,
    clickTracking: true,
    attachments: true,
    newProspects: true,
    plainTextOnly: false,
    requireOneClick: false,
    verifiedRecipientsOnly: false,
    aiGeneration: 'approved_template_only',
  };
  expect(mergeConstraints([free, { ...free }])).toEqual(free);
});

test('a field that says nothing takes nothing back [G22]', () => {
  const silent = { maxLinks: undefined } as unknown as Constraints;
  expect(mergeConstraints([{ maxLinks: 1 }, silent])).toEqual({ maxLinks: 1 });
  expect(mergeConstraints([silent])).toEqual({});
});

test('an unset field is unlimited and stays unset [G21]', () => {
  expect(mergeConstraints([])).toEqual({});
  expect(mergeConstraints([{ maxLinks: 1 }, {}])).toEqual({ maxLinks: 1 });
});

describe('what permits nothing [G22]', () => {
  test.each<[string, Constraints, boolean]>([
    ['nothing a day', { maxToday: 0 }, true],
    ['one a day', { maxToday: 1 }, false],
    ['no provider', { recipientProvidersAllow: [] }, true],
    ['one provider', { recipientProvidersAllow: ['google'] }, false],
    ['until now', { expiresAtMs: 1000 }, true],
    ['a moment longer', { expiresAtMs: 1001 }, false],
    ['no limit', {}, false],
  ])('%s', (_, constraints, nothing) => {
    expect(permitsNothing(constraints, 1000)).toBe(nothing);
  });

  test('two allow lists that exclude each other', () => {
    const merged = mergeConstraints([
      { recipientProvidersAllow: ['google'] },
      { recipientProvidersAllow: ['microsoft'] },
    ]);
    expect(permitsNothing(merged, 0)).toBe(true);
  });
});
