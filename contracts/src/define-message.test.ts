import { describe, expect, test } from 'vitest';
import { dispatchRequested } from './dispatch.ts';
import { layerConditioned } from './layer.ts';
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

test('strict and lenient reach into every level: an address smuggled into an action is refused or dropped [A3 A5 A6]', () => {
  const smuggled = { ...request(), action: { ...action, email: 'ann@example.com' } };
  expect(dispatchRequested.strict.safeParse(smuggled).error?.issues[0]).toMatchObject({
    path: ['action'],
    keys: ['email'],
  });
  expect(dispatchRequested.lenient.parse(smuggled).action).toEqual(action);
});
