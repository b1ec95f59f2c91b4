import fc from 'fast-check';
import { expect, test } from 'vitest';
import { becauseRequest, Findings } from './gate.ts';

const ORDER = ['mild', 'middling', 'hard'] as const;
const why = (fact: string) => becauseRequest('data', 'crm', fact, 'suppression_unknown', 'client');

test('of what applies the rightmost outcome wins, in whatever order it was found [G11]', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...ORDER)), (found) => {
      const findings = new Findings<(typeof ORDER)[number]>(ORDER);
      for (const outcome of found) findings.add(outcome);
      const worst = Math.max(0, ...found.map((outcome) => ORDER.indexOf(outcome)));
      expect(findings.worst().outcome).toBe(ORDER[worst]);
    }),
  );
});

test('the winner carries its own reasons, all of them, and no one else’s [G11]', () => {
  const findings = new Findings<(typeof ORDER)[number]>(ORDER);
  findings.add('hard', why('a')).add('mild', why('b')).add('hard', why('c'));
  expect(findings.worst().because.map((one) => one.fact)).toEqual(['a', 'c']);
});

test('where nothing applies the mildest outcome stands, with nothing to say [G11]', () => {
  expect(new Findings<(typeof ORDER)[number]>(ORDER).worst()).toEqual({ outcome: 'mild', because: [] });
});
