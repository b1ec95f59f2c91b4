import { expect, test } from 'vitest';
import { planRound, type Verdict } from './chaos-run.ts';
import { jsonOf, parseCommand, tableOf, USAGE, UsageError } from './command.ts';
import { NEMESIS_NAMES } from './nemeses.ts';
import { Random } from './random.ts';

const sound: Verdict = {
  seed: 7,
  rounds: 2,
  faults: { kill: 3, stop: 0, zombie: 0, twin: 0, server: 1, consumers: 0, poison: 0, full: 0 },
  sent: { ok: 90, refused: 1, unknown: 2 },
  stored: { REQUESTS: 40, DECISIONS: 55 } as Verdict['stored'],
  violations: [],
};
const lost: Verdict = {
  ...sound,
  violations: [{ kind: 'lost', where: 'EVIDENCE/9', told: 'it was acknowledged' }],
};
const INSTANCES = ['layer-runtime-1', 'layer-runtime-2', 'truth-aggregator-1'];

test('options are read, and a seed is drawn where none is given', () => {
  expect(parseCommand(['--seed', '7', '--seconds', '30', '--json'])).toMatchObject({
    seed: 7,
    seconds: 30,
    json: true,
  });
  expect(parseCommand([]).seed).not.toBe(parseCommand([]).seed);
});

test('what is no number within bounds, and what is no option, is refused by its name', () => {
  expect(() => parseCommand(['--seconds', '0'])).toThrow(
    new UsageError('`--seconds 0`: it takes a whole number from 1 to 86400'),
  );
  expect(() => parseCommand(['--seed', 'x'])).toThrow(UsageError);
  expect(() => parseCommand(['--seeed', '1'])).toThrow(UsageError);
});

test('the verdict says that nothing is wrong, or what is, with the seed', () => {
  expect(tableOf(sound)).toContain('passed');
  expect(tableOf(sound)).toContain('seed 7');
  expect(tableOf(lost)).toMatch(
    /lost {2}EVIDENCE\/9: it was acknowledged\n.*FAILED: 1 violations; again: .*--seed 7/,
  );
  expect(JSON.parse(jsonOf(lost))).toMatchObject({ seed: 7, violations: 1, pass: false });
  expect(JSON.parse(jsonOf(sound))).toMatchObject({ violations: 0, pass: true });
  expect(jsonOf(lost)).not.toContain('\n');
});

test('the same seed plans the same faults, and another one others', () => {
  const planOf = (seed: number) => {
    const random = new Random(seed);
    const rounds = Array.from({ length: 20 }, () => planRound(INSTANCES, random));
    return rounds.map((round) => round.map(({ afterMs, fault }) => `${afterMs} ${fault.told}`));
  };
  expect(planOf(7)).toEqual(planOf(7));
  expect(planOf(7)).not.toEqual(planOf(8));
});

test('every kind of fault comes up, and the server dies at most once in a round', () => {
  const random = new Random(3);
  const rounds = Array.from({ length: 100 }, () => planRound(INSTANCES, random).map(({ name }) => name));
  expect(new Set(rounds.flat())).toEqual(new Set(NEMESIS_NAMES));
  for (const names of rounds) expect(names.filter((name) => name === 'server').length).toBeLessThan(2);
});

test('help shows an example', () => {
  expect(USAGE).toContain('Example: npm run chaos -- --seed 7');
});
