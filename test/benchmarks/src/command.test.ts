import { expect, test } from 'vitest';
import type { Bench } from './bench.ts';
import { exitCodeOf, jsonOf, parseCommand, runCommand, UsageError, usageOf } from './command.ts';
import { atLeast, type Result } from './result.ts';

const bench = (name: string, results: readonly Result[] = []): Bench => ({
  name,
  about: `measures ${name}`,
  run: async () => results,
});
const KNOWN = [bench('decide'), bench('fingerprint')];
const kept = atLeast('fingerprint', { ours: 4, reference: 1, unit: 'op/s' }, 4);
const missed = atLeast('decide', { ours: 4, reference: 1, unit: 'op/s' }, 5);

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

test('help names every benchmark', () => {
  expect(usageOf(KNOWN)).toMatch(/ {2}decide +measures decide\n {2}fingerprint +measures fingerprint\n/);
});

test('a folder for profiles is taken by its name, and there is none by default', () => {
  expect(parseCommand(['--profile', 'there'], KNOWN).profileDir).toBe('there');
  expect(parseCommand([], KNOWN).profileDir).toBeUndefined();
});

test('all results of all benchmarks are judged, and stand on the last line in their order', async () => {
  const printed: string[] = [];
  const benches = [bench('one', [kept, missed]), bench('other', [kept])];
  const wanted = { benches, quick: true, profileDir: undefined, json: true, help: false };
  expect(await runCommand(wanted, (text) => printed.push(text))).toBe(1);
  expect(JSON.parse(printed.at(-1)!)).toEqual([kept, missed, kept]);
});
