import { describe, expect, test } from 'vitest';
import { dispatchRequested } from './dispatch.ts';
import { conditionHeaders, conditionHeadFrom, layerConditioned } from './layer.ts';
import { AT_MS, action, condition, envelope, request, truth } from './message.test-support.ts';
import { truthRecorded } from './truth.ts';

const known = [
  ['dispatch.requested', dispatchRequested, request()],
  [
    'layer.condition',
    layerConditioned,
    { ...envelope(), ...condition, inputs: { EVIDENCE: 1, CONFIG: 2, OPERATOR: 0 }, at: AT_MS },
  ],
  ['truth.recorded', truthRecorded, { ...envelope(), ...truth(), inputSeq: 7 }],
] as const;

describe.each(known)('%s', (_, contract, message) => {
  test('is understood by writers and readers alike [A5 A6]', () => {
    expect(contract.strict.safeParse(message).error).toBeUndefined();
    expect(contract.lenient.parse(message)).toEqual(JSON.parse(JSON.stringify(message)));
  });

  test('with a field of a later minor version is read without it, and never written [A5 A6]', () => {
    const newer = { ...message, colour: 'blue' };
    expect(contract.lenient.parse(newer)).not.toHaveProperty('colour');
    const { error } = contract.strict.safeParse(newer);
    expect(error?.issues).toMatchObject([{ code: 'unrecognized_keys', keys: ['colour'] }]);
  });

  test('without one of its fields is understood by nobody [A5 A6]', () => {
    for (const field of Object.keys(message)) {
      const { [field as keyof typeof message]: _missing, ...rest } = message;
      expect(contract.strict.safeParse(rest).error?.issues[0]?.path, field).toEqual([field]);
      expect(contract.lenient.safeParse(rest).success, field).toBe(false);
    }
  });
});

describe.each(known)('our own %s', (_, contract, message) => {
  test('may be sent where it can be read strictly, and nowhere else [A5 A6]', () => {
    const plain = JSON.parse(JSON.stringify(message));
    expect(contract.fits(plain)).toBe(true);
    expect(contract.fits({ ...plain, colour: 'blue' })).toBe(false);
    for (const field of Object.keys(plain)) {
      const { [field]: _missing, ...rest } = plain;
      expect(contract.fits(rest), field).toBe(false);
    }
  });
});

test('a word that nobody foresaw is found at any depth, and is never sent [A3 A5]', () => {
  const conditioned = {
    ...envelope(),
    ...condition,
    inputs: { EVIDENCE: 1, CONFIG: 2, OPERATOR: 0 },
    at: AT_MS,
  };
  expect(layerConditioned.fits(conditioned)).toBe(true);
  const [fact, ...others] = conditioned.facts;
  const smuggled = { ...conditioned, facts: [{ ...fact, note: 'ann@example.com' }, ...others] };
  expect(layerConditioned.fits(smuggled)).toBe(false);
  expect(layerConditioned.fits({ ...conditioned, causes: fact })).toBe(false);
  const { attention: _missing, ...causes } = conditioned.causes;
  expect(layerConditioned.fits({ ...conditioned, causes })).toBe(false);
});

test('what an older writer did not know is added when it is read [A5 A6]', () => {
  const { unanswered: _byDefault, ...causes } = condition.causes;
  const inputs = { EVIDENCE: 1, CONFIG: 2, OPERATOR: 0 };
  const older = { ...envelope(), ...condition, causes, inputs, at: AT_MS };
  expect(layerConditioned.lenient.parse(older).causes.unanswered).toEqual({});
});

test.each([
  { dueMs: AT_MS, living: true, silent: false },
  { dueMs: null, living: false, silent: true },
  { dueMs: null, living: false, silent: false },
  { dueMs: 0, living: true, silent: true },
])('the head of a condition is read as it was written: %o [A5]', (head) => {
  const written = conditionHeaders(head);
  expect(conditionHeadFrom((name) => written[name] ?? '')).toEqual(head);
});

test('a condition without a head, or with one that nobody understands, is looked up at once [A5]', () => {
  const everything = { dueMs: 0, living: true, silent: true };
  expect(conditionHeadFrom(() => '')).toEqual(everything);
  expect(conditionHeadFrom(() => 'soon')).toEqual(everything);
});

test('strict and lenient reach into every level: an address smuggled into an action is refused or dropped [A3 A5 A6]', () => {
  const smuggled = { ...request(), action: { ...action, email: 'ann@example.com' } };
  expect(dispatchRequested.strict.safeParse(smuggled).error?.issues[0]).toMatchObject({
    path: ['action'],
    keys: ['email'],
  });
  expect(dispatchRequested.lenient.parse(smuggled).action).toEqual(action);
});
