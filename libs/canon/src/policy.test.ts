import { expect, test } from 'vitest';
import { DEFAULT_POLICY_JSON, POLICY } from './dispatch-case.test-support.ts';
import { SECTORS } from './facts.ts';
import { constraintsSchema, policyDigestOf, policySchema } from './policy.ts';

test('the policy that is shipped is a policy, and says something of every sector [M11]', () => {
  expect(policySchema.safeParse(DEFAULT_POLICY_JSON).error).toBeUndefined();
  for (const sector of SECTORS) expect(POLICY.sectorFloors[sector]).toBeDefined();
  for (const sector of POLICY.regulatedSectors) {
    expect(POLICY.sectorFloors[sector], sector).toBe('approval_required');
  }
});

test('a policy with several errors reports all of them, each by its place [M11]', () => {
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

test('a policy may require more facts, but only such as there are [L8 M11]', () => {
  const requiring = (alsoRequired: object) =>
    policySchema.safeParse({ ...(DEFAULT_POLICY_JSON as object), alsoRequired });
  expect(requiring({ mailbox: ['senderAgeDays'] }).success).toBe(true);
  expect(requiring({ mailbox: ['age'] }).error?.issues[0]).toMatchObject({
    path: ['alsoRequired', 'mailbox', 0],
    message: '`age` is no fact of mailbox',
  });
  expect(requiring({ inbox: [] }).success).toBe(false);
});

test('equal thresholds have equal digests however the file is written, other ones have not [M12]', () => {
  const reordered = Object.fromEntries(Object.entries(POLICY).toReversed()) as typeof POLICY;
  expect(policyDigestOf(reordered)).toBe(policyDigestOf(POLICY));
  const changed = { ...POLICY, heartbeatMaxSec: POLICY.heartbeatMaxSec + 1 };
  expect(policyDigestOf(changed)).not.toBe(policyDigestOf(POLICY));
});

type Json = Record<string, unknown>;
/** Every place in the policy, as its keys from the top. */
function placesIn(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, inner]) => placesIn(inner, [...path, key]))];
}
function valueAt(path: readonly string[], policy: unknown = DEFAULT_POLICY_JSON): unknown {
  return path.reduce<unknown>((at, key) => (at as Json)[key], policy);
}
/** Whether the policy is still one with something else at this place; `undefined` takes the place away. */
function accepts(path: readonly string[], value: unknown): boolean {
  const policy = structuredClone(DEFAULT_POLICY_JSON);
  const holder = valueAt(path.slice(0, -1), policy) as Json;
  const key = path.at(-1)!;
  if (value === undefined && !Array.isArray(holder)) delete holder[key];
  else holder[key] = value;
  return policySchema.safeParse(policy).success;
}
const placesOf = (is: (value: unknown) => boolean) =>
  placesIn(DEFAULT_POLICY_JSON).filter((path) => is(valueAt(path)));
const demands = (path: readonly string[]) => path[0] === 'degradations' && path.length === 3;

test('every number of a policy is within bounds, and has to be there [M11]', () => {
  const numbers = placesOf((value) => typeof value === 'number');
  expect(numbers.length).toBeGreaterThan(70);
  for (const path of numbers) {
    const name = path.join('.');
    for (const wrong of [-1, '1', null, Number.NaN]) expect(accepts(path, wrong), name).toBe(false);
    // How many times the usual volume is a jump has no upper end.
    expect(accepts(path, 1e12), name).toBe(name === 'risk.volumeRatioMax');
    if (!demands(path)) expect(accepts(path, undefined), name).toBe(false);
  }
});

test('a share lies between 0 and 1, everything else is a whole number [M11]', () => {
  const shares = placesOf((value) => typeof value === 'number' && !Number.isInteger(value)).map((path) =>
    path.join('.'),
  );
  expect(shares).toEqual([
    'bands.leaveFactor',
    'bands.headroomLowShare',
    'providerHealth.errorRatioMax',
    ...['watch', 'throttled', 'quarantined', 'blocked'].flatMap((name) => [
      `pacing.${name}.complaint`,
      `pacing.${name}.hardBounce`,
    ]),
    'pacing.leaveFactor',
    'data.verifiedShareMin',
    'data.provenanceShareMin',
    'risk.unknownShareMax',
    'risk.unsubShareMax',
    'risk.unresolvedShareMax',
    'dispatch.headroomTieShare',
  ]);
  for (const path of placesOf((value) => typeof value === 'number')) {
    const name = path.join('.');
    if (shares.includes(name)) {
      expect(
        [0, 1, 1.01].map((value) => accepts(path, value)),
        name,
      ).toEqual([true, true, false]);
    } else {
      expect(accepts(path, 150.5), name).toBe(name === 'risk.volumeRatioMax');
    }
  }
});

test('the smallest values that make sense are the smallest that are taken [M11]', () => {
  const leastOf = (path: readonly string[]) => [0, 1, 10, 120].find((value) => accepts(path, value));
  const above0 = placesOf((value) => typeof value === 'number')
    .filter((path) => path[0] !== 'maxAgeSec' && leastOf(path) !== 0)
    .map((path) => [path.join('.'), leastOf(path)]);
  expect(Object.fromEntries(above0)).toEqual({
    version: 1,
    heartbeatMaxSec: 10,
    firstCheckSec: 1,
    'check.triesMax': 1,
    'check.exhaustedSec': 1,
    'mailbox.probationReports': 1,
    'providerHealth.probationReports': 1,
    'continuity.leaseSec': 1,
    'pacing.windowDays': 1,
    'pacing.probationDelivered': 1,
    'campaign.leaseSec': 1,
    'campaign.probationReports': 1,
    'data.importMaxSec': 1,
    'risk.volumeRatioMax': 1,
    'dispatch.truthCadences': 1,
    'dispatch.cadenceSec': 1,
    'dispatch.decisionValidSec': 1,
    'dispatch.holdValidSec': 1,
    'dispatch.approvalValidSec': 1,
    'dispatch.reviewWithinSec': 1,
  });
  for (const age of Object.keys(POLICY.maxAgeSec)) {
    expect([119, 120, 31_536_000, 31_536_001].map((sec) => accepts(['maxAgeSec', age], sec))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  }
  const counted = ['risk', 'unresolvedMin'];
  expect([10_000_000, 10_000_001].map((value) => accepts(counted, value))).toEqual([true, false]);
  expect([9, 10].map((sec) => accepts(['heartbeatMaxSec'], sec))).toEqual([false, true]);
});

test('no part of a policy takes a name that nobody reads, nor may it be missing [M11]', () => {
  const parts = placesOf((value) => typeof value === 'object' && !Array.isArray(value));
  for (const path of parts) {
    expect(accepts([...path, 'other'], 1), path.join('.')).toBe(false);
    if (path.length > 0) expect(accepts(path, undefined), path.join('.')).toBe(false);
  }
});

test('a policy is named as ids are, and speaks of known sectors and modes [M11]', () => {
  const long = 'a'.repeat(64);
  expect(['a', '0_b-c', long].map((name) => accepts(['name'], name))).toEqual([true, true, true]);
  const wrong = ['', 'A', '-a', 'a b', 'a.', `${long}a`, 'a\n'];
  expect(wrong.filter((name) => accepts(['name'], name))).toEqual([]);
  expect(accepts(['sectorFloors', 'general'], 'draft_only')).toBe(true);
  expect(accepts(['sectorFloors', 'general'], 'careless')).toBe(false);
  expect(accepts(['sectorFloors', 'space'], 'supervised')).toBe(false);
  expect(accepts(['regulatedSectors', '0'], 'space')).toBe(false);
});

test('what a policy may demand is only what a reservation or a sender holds to [M11]', () => {
  const demanded = (field: string, value: unknown) =>
    accepts(['degradations', 'mailbox_limited', field], value);
  const full = {
    maxToday: 1,
    recipientProvidersAllow: ['google', 'microsoft', 'yahoo', 'other'],
    verifiedRecipientsOnly: true,
    newProspects: false,
    plainTextOnly: true,
    openTracking: false,
    clickTracking: false,
    maxLinks: 1,
    attachments: false,
    aiGeneration: 'off',
    requireOneClick: true,
    sendDelaySec: 1,
    budgetIds: ['mailbox:anna'],
    expiresAtMs: 1,
  };
  for (const [field, value] of Object.entries(full)) {
    expect(demanded(field, value), field).toBe(true);
    expect(demanded(field, { other: true }), field).toBe(false);
  }
  const promised = {
    maxPerHour: 1,
    minGapSec: 1,
    canary: { size: 1, holdSec: 1, stopUnsub: 1, stopComplaint: 1 },
  };
  for (const [field, value] of Object.entries(promised)) expect(demanded(field, value), field).toBe(false);
  expect(constraintsSchema.parse({ ...full, ...promised })).toEqual({ ...full, ...promised });
  expect(constraintsSchema.safeParse({ canary: { ...promised.canary, other: 1 } }).success).toBe(false);
  expect(constraintsSchema.safeParse({ canary: { size: 1 } }).success).toBe(false);
});

test.each<[string, unknown, boolean]>([
  ['recipientProvidersAllow', ['hotmail'], false],
  ['aiGeneration', 'approved_template_only', true],
  ['aiGeneration', 'free', false],
  ['budgetIds', ['mailbox:anna_b-1', `${'a'.repeat(64)}:${'b'.repeat(64)}`], true],
  ['budgetIds', ['mailbox'], false],
  ['budgetIds', ['mailbox:'], false],
  ['budgetIds', [':anna'], false],
  ['budgetIds', ['mailbox:Anna'], false],
  ['budgetIds', ['mailbox:anna@example.com'], false],
  ['budgetIds', ['x mailbox:anna'], false],
  ['budgetIds', ['-a:b'], false],
  ['budgetIds', ['a:-b'], false],
  ['budgetIds', [`${'a'.repeat(65)}:b`], false],
  ['budgetIds', [`a:${'b'.repeat(65)}`], false],
  ['expiresAtMs', 1.5, false],
  ['maxToday', 1.5, false],
])('a constraint `%s` of %j is taken: %s [M11]', (field, value, taken) => {
  expect(constraintsSchema.safeParse({ [field]: value }).success).toBe(taken);
});
