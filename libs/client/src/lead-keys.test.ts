import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LeadKeys } from './lead-keys.ts';

const keyOf = (n: number) => createHash('sha256').update(String(n)).digest('hex');

test('remembers what a map would, also of keys that begin alike', () => {
  const start = fc.constantFrom('00000000', 'ffffffff', '0000000f');
  const key = fc.tuple(start, fc.nat(20)).map(([first, n]) => `${first}${keyOf(n).slice(8)}`);
  const value = fc.integer({ min: 0, max: 0xffff_ffff });
  fc.assert(
    fc.property(fc.array(fc.tuple(key, value)), fc.array(key), (entries, others) => {
      const map = new Map(entries);
      const short = new LeadKeys(16);
      const whole = new LeadKeys(32);
      for (const [one, number] of entries) {
        short.set(one, number);
        whole.set(one, number);
      }
      expect([short.size, whole.size]).toEqual([map.size, map.size]);
      expect([...whole]).toEqual([...map]);
      for (const one of [...map.keys(), ...others]) {
        expect([short.get(one), whole.get(one)]).toEqual([map.get(one), map.get(one)]);
        expect(short.has(one)).toBe(map.has(one));
      }
    }),
  );
});

test('holds a million people in less than 50 MB, and forgets none while it grows', () => {
  const people = 1_000_000;
  const keys = new LeadKeys(16);
  // consecutive numbers spread over the key, which is quicker than a million digests
  const spread = (n: number) => (Math.imul(n, 0x9e37_79b1) >>> 0).toString(16).padStart(8, '0').repeat(8);
  for (let n = 0; n < people; n++) keys.set(spread(n), n);
  expect(keys.size).toBe(people);
  expect(keys.octets).toBeLessThan(50_000_000);
  const lost: number[] = [];
  for (let n = 0; n < people; n++) if (keys.get(spread(n)) !== n) lost.push(n);
  expect(lost).toEqual([]);
});

test.each(['', 'abcd', 'not hex'.repeat(8), `${keyOf(1)}00`])('`%s` is not taken for a key', (key) => {
  expect(() => new LeadKeys(16).set(key, 1)).toThrow('not a recipient key');
  expect(() => new LeadKeys(16).get(key)).toThrow('not a recipient key');
});

test('does not give back keys of which it kept only the beginning', () => {
  const keys = new LeadKeys(16);
  keys.set(keyOf(1), 1);
  expect(() => [...keys]).toThrow('the keys were shortened');
});
