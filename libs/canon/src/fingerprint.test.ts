import { hash } from 'node:crypto';
import { expect, test } from 'vitest';
import { canonicalJson, digestOf, digestOfBytes } from './fingerprint.ts';

test('the order of keys and the spelling of numbers do not reach a digest (RFC 8785) [T7]', () => {
  expect(canonicalJson({ b: 1e21, a: [1.0, '\u20ac', null] })).toBe('{"a":[1,"€",null],"b":1e+21}');
  expect(digestOf({ b: 1, a: 2 })).toBe(digestOf({ a: 2, b: 1 }));
  expect(digestOf({ a: 1 })).toBe(hash('sha256', '{"a":1}'));
});

test('what JSON cannot say has no digest, rather than the digest of something else [T7]', () => {
  for (const value of [undefined, Number.NaN, { n: Number.POSITIVE_INFINITY }]) {
    expect(() => digestOf(value)).toThrow();
  }
  expect(() => digestOf(undefined)).toThrow('there is no canonical JSON of undefined');
});

test('the SHA-256 of no bytes is the one that everybody knows [T7]', () => {
  expect(digestOfBytes('')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  expect(digestOfBytes(new Uint8Array([0xe2, 0x82, 0xac]))).toBe(digestOfBytes('€'));
});
