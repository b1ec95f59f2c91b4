import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { decisionRecorded } from './decision.ts';
import { dispatchRequested } from './dispatch.ts';
import { layerConditioned } from './layer.ts';
import { AT_MS, condition, envelope, request } from './message.test-support.ts';
import { RECORDS } from './record.test-support.ts';
import { issuesOf } from './rejected.ts';
import { placesOf } from './schema-walk.test-support.ts';

const SECRETS = {
  'an address': 'ann.smith@example.com',
  'an address with a name': 'Ann Smith <ann.smith@example.com>',
  'a JWT': 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJlLW9mLWFubg',
  'a short JWT': 'eyJh.eyJz.abc',
  'an access token': 'ya29.a0Af_xampleT0ken',
  'an API key': 'SG.Zx9Kq2Lm4Np.8Rt6Yw1Vb3Hs',
  'a bearer header': 'Bearer 4f9b2c71d0e8a6355b1c',
  'a subject line': 'Re: your offer of last Tuesday',
  'a line of a body': 'Dear Ann, the results of your test have arrived.',
  'a link': 'https://example.com/unsubscribe?who=ann&token=4f9b2c71',
  'a phone number': '+34 600 123 456',
  'half a character': '\ud83d',
  'ten thousand characters': 'q'.repeat(10_000),
} as const;

type Path = readonly (string | number)[];

function pathsOf(value: unknown, wanted: (value: unknown) => boolean, path: Path = []): Path[] {
  const here = wanted(value) ? [path] : [];
  if (typeof value !== 'object' || value === null) return here;
  const inner: [string | number, unknown][] = Array.isArray(value)
    ? [...value.entries()]
    : Object.entries(value);
  return [...here, ...inner.flatMap(([key, one]) => pathsOf(one, wanted, [...path, key]))];
}

const isText = (value: unknown): boolean => typeof value === 'string';
const isObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A copy in which what stands at a path is another. */
function changed(value: unknown, [key, ...rest]: Path, change: (value: unknown) => unknown): unknown {
  if (key === undefined) return change(value);
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<
    string | number,
    unknown
  >;
  copy[key] = changed(copy[key], rest, change);
  return copy;
}

const withKey = (key: string, value: unknown) => (object: unknown) => ({
  ...(object as object),
  [key]: value,
});

/** No eight characters of the secret in a row, for part of a token is a token to somebody. */
function tellsOf(error: z.ZodError | undefined, secret: string): boolean {
  const told = JSON.stringify(error ? issuesOf(error) : []);
  const length = Math.min(8, secret.length);
  return Array.from({ length: secret.length - length + 1 }, (_, at) => secret.slice(at, at + length)).some(
    (part) => told.includes(JSON.stringify(part).slice(1, -1)),
  );
}

/** Objects that no reader may read without what it does not know. */
const NEVER_LENIENT = /^constraints/;

const told = (path: Path): string => path.join('.') || 'the message';
/** Nothing of a cause is left out, so that there is a key of each kind. */
const layerCondition = {
  ...envelope(),
  ...condition,
  causes: {
    ...condition.causes,
    holds: { operator_hold: { sinceMs: AT_MS } },
    faults: { check: { sinceMs: AT_MS } },
    cooldowns: { campaign_auto_paused: { untilMs: AT_MS, ordinal: 1 } },
    requalifications: { band: { ordinal: 1, from: 1000, count: 40 } },
    latched: { template_digest_drift: { phase: 'serving', releaseOwed: false } },
    servedStop: { atMs: 1, counters: { deliveredTotal: 1000 } },
    unanswered: { approval: { sinceMs: 1, lastMs: 2, tries: 2 } },
    setup: { id: 'import_running', deadlineMs: AT_MS },
    lease: { runId: 'run-1', untilMs: AT_MS },
    check: { startedAtMs: AT_MS, deadlineMs: AT_MS },
    requalificationOwed: 'band',
  },
  inputs: { EVIDENCE: 1, CONFIG: 2, OPERATOR: 0 },
  at: AT_MS,
};
/** Objects that are by key: a key of theirs is a value. */
const BY_KEY = [
  'holds',
  'faults',
  'cooldowns',
  'requalifications',
  'graces',
  'closures',
  'latched',
  'unanswered',
  'servedStop.counters',
];
const isByKey = (path: Path): boolean => path[0] === 'causes' && BY_KEY.includes(path.slice(1).join('.'));
const MESSAGES = [
  ...RECORDS.map(([name, contract, record]) => [name, contract, record()] as const),
  ['a layer’s condition, which has keys of its own', layerConditioned, layerCondition] as const,
  ['a request', dispatchRequested, request()] as const,
];

describe.each(MESSAGES)('%s', (_, contract, message) => {
  const texts = pathsOf(message, isText);
  const objects = pathsOf(message, isObject);

  test('is itself allowed [A3]', () => {
    expect(contract.strict.safeParse(message).error).toBeUndefined();
  });

  test.each(Object.entries(SECRETS))(`%s fits into none of its ${texts.length} texts [A3]`, (_, secret) => {
    for (const path of texts) {
      const smuggled = changed(message, path, () => secret);
      const { error } = contract.strict.safeParse(smuggled);
      expect(error, told(path)).toBeDefined();
      expect(tellsOf(error, secret), told(path)).toBe(false);
      expect(contract.lenient.safeParse(smuggled).success, told(path)).toBe(false);
    }
  });

  test.each(Object.entries(SECRETS))(
    `%s is no key of any of its ${objects.length} objects, nor the value of a key that nobody knows [A3]`,
    (_, secret) => {
      for (const path of objects) {
        for (const add of [withKey(secret, true), withKey('note', secret)]) {
          const smuggled = changed(message, path, add);
          const { error } = contract.strict.safeParse(smuggled);
          expect(error, told(path)).toBeDefined();
          expect(tellsOf(error, secret), told(path)).toBe(false);
          const read = contract.lenient.safeParse(smuggled);
          // Read without it or not at all.
          if (read.success) expect(read.data, told(path)).toEqual(contract.lenient.parse(message));
          expect(JSON.stringify(read.data ?? null).includes(secret), told(path)).toBe(false);
        }
      }
    },
  );

  test('what a later minor version adds is read without it, but for the terms of a release [A6 A7]', () => {
    for (const path of objects) {
      const read = contract.lenient.safeParse(changed(message, path, withKey('note', 1)));
      expect(read.success, told(path)).toBe(!isByKey(path) && !NEVER_LENIENT.test(path.join('.')));
    }
  });
});

test.each(Object.entries(SECRETS))(
  `%s is no cause of anything, in any of ${BY_KEY.length} lists [A3]`,
  (_, secret) => {
    for (const list of BY_KEY) {
      const renamed = (entries: unknown) => ({ [secret]: Object.values(entries as object)[0] });
      const path = ['causes', ...list.split('.')];
      const smuggled = changed(layerCondition, path, renamed);
      const { error } = layerConditioned.strict.safeParse(smuggled);
      expect(
        error?.issues.map((issue) => issue.path.slice(0, path.length)),
        list,
      ).toEqual([path]);
      expect(tellsOf(error, secret), list).toBe(false);
      expect(layerConditioned.lenient.safeParse(smuggled).success, list).toBe(false);
    }
  },
);

test('the examples leave nothing out: every place of a record’s schema is filled in one of them [A3]', () => {
  for (const contract of new Set(RECORDS.map(([, one]) => one))) {
    const examples = RECORDS.filter(([, one]) => one === contract).map(([, , record]) => record());
    const filled = new Set(examples.flatMap((one) => pathsOf(one, (value) => value !== null).map(placeOf)));
    const wanted = placesOf(contract.strict).filter(({ schema }) => schema.type !== 'null');
    expect(wanted.length).toBeGreaterThan(10);
    expect(wanted.map(({ path }) => path).filter((path) => !filled.has(path))).toEqual([]);
  }
});

const placeOf = (path: Path): string =>
  path.map((part) => (typeof part === 'number' ? '.[]' : `.${part}`)).join('');

test('there are so many places to try [A3]', () => {
  const count = (wanted: (value: unknown) => boolean) =>
    RECORDS.reduce((sum, [, , record]) => sum + pathsOf(record(), wanted).length, 0);
  expect(count(isText)).toBeGreaterThan(400);
  expect(count(isObject)).toBeGreaterThan(90);
});

test('an answer belongs to its question, an outcome to its gate, and both to the list of theirs [A4]', () => {
  const record = RECORDS[0]![2]();
  const refused = (path: Path, value: string) =>
    decisionRecorded.strict
      .safeParse(changed(record, path, () => value))
      .error?.issues.map((issue) => issue.path.join('.'));
  expect(refused(['rationale', 0, 'code'], 'step_due')).toEqual(['rationale.0.code']);
  expect(refused(['gates', 0, 'outcome'], 'suppressed')).toEqual(['gates.0.outcome']);
  expect(refused(['decidingOutcome'], 'frozen')).toEqual(['decidingOutcome']);
  expect(refused(['decidingOutcome'], 'hold_expired')).toBeUndefined();
  expect(refused(['rationale', 0, 'evidence', 0], 'pacing/anna/spf')).toEqual(['rationale.0.evidence.0']);
  expect(refused(['gates', 6, 'because', 0, 'fact'], 'mood')).toEqual(['gates.6.because.0.fact']);
});
