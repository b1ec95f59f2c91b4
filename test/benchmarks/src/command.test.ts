import { expect, test } from 'vitest';
import type { Bench } from './bench.ts';
import { exitCodeOf, jsonOf, parseCommand, tableOf, UsageError, usageOf } from './command.ts';
import { judge } from './measure.ts';

const bench = (name: string): Bench => ({
  name,
  about: `measures ${name}`,
  ratioMin: 5,
  prepare: () => Promise.reject(new Error('nothing is measured here')),
});
const KNOWN = [bench('decide'), bench('fingerprint')];
const ROWS = [
  { name: 'ours', usPerOp: 2 },
  { name: 'other', usPerOp: 8 },
];
const missed = judge('decide', ROWS, 5);
const kept = judge('fingerprint', ROWS, 4);

test('without a name all benchmarks are run, with names just these', () => {
  const namesOf = (...args: string[]) => parseCommand(args, KNOWN).benches.map((one) => one.name);
  expect(namesOf()).toEqual(['decide', 'fingerprint']);
  expect(namesOf('fingerprint')).toEqual(['fingerprint']);
  expect(namesOf('fingerprint', 'decide', '--quick')).toEqual(['decide', 'fingerprint']);
});

test('options are read, and are off by default', () => {
  expect(parseCommand(['--quick', '--json'], KNOWN)).toMatchObject({ quick: true, json: true, help: false });
  expect(parseCommand(['-h'], KNOWN)).toMatchObject({ quick: false, json: false, help: true });
});

test('an unknown name or option is refused by its name, and not skipped', () => {
  expect(() => parseCommand(['decide', 'decode'], KNOWN)).toThrow(
    new UsageError('no benchmark `decode`: use one of decide, fingerprint'),
  );
  expect(() => parseCommand(['--quik'], KNOWN)).toThrow(UsageError);
});

test('one missed bound is a failure, however many were kept', () => {
  expect([missed.pass, kept.pass]).toEqual([false, true]);
  expect(exitCodeOf([kept])).toBe(0);
  expect(exitCodeOf([missed])).toBe(1);
  expect(exitCodeOf([kept, missed])).toBe(1);
  expect(exitCodeOf([missed, kept])).toBe(1);
});

test('one result is an object and several are an array, on a single line', () => {
  expect(JSON.parse(jsonOf([missed]))).toEqual(missed);
  expect(JSON.parse(jsonOf([missed, kept]))).toEqual([missed, kept]);
  expect(jsonOf([missed, kept])).not.toContain('\n');
});

test('the table says what each way takes, and whether the bound was kept', () => {
  const table = tableOf(KNOWN[0]!, ROWS, missed);
  expect(table).toMatch(/other +8\.00 us\/op +125000 op\/s +4\.00 x/);
  expect(table).toContain('MISSED: 4.00 times as fast as the fastest other, at least 5 wanted');
  expect(tableOf({ ...KNOWN[0]!, ratioMin: 4 }, ROWS, kept)).toContain('passed: 4.00 times');
});

test('what is outside of the bound stands below it and is compared with ours all the same', () => {
  const table = tableOf(KNOWN[0]!, ROWS, missed, [{ name: 'less work', usPerOp: 1 }]);
  expect(table).toMatch(
    /other .*\n {2}outside of the bound:\n {2}less work +1\.00 us\/op +1000000 op\/s +0\.50 x\n/,
  );
  expect(tableOf(KNOWN[0]!, ROWS, missed)).not.toContain('outside');
});

test('help names every benchmark', () => {
  expect(usageOf(KNOWN)).toMatch(/ {2}decide +measures decide\n {2}fingerprint +measures fingerprint\n/);
});
