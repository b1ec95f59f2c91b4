import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { openPlaces, placesOf } from './schema-walk.test-support.ts';

const word = z.string().regex(/^[a-z]{1,8}$/);

describe('a schema in which something is open is caught, by the place [A2]', () => {
  test.each<[string, z.ZodType, string]>([
    ['a text', z.strictObject({ note: z.string() }), '.note: a text without a pattern'],
    ['a text of a length', z.strictObject({ note: z.string().max(64) }), '.note: a text without a pattern'],
    ['an address', z.strictObject({ to: z.email() }), '.to: a pattern without a bound'],
    ['a link', z.strictObject({ at: z.url() }), '.at: a text without a pattern'],
    ['bytes', z.strictObject({ raw: z.base64().max(64) }), '.raw: a text in another encoding'],
    [
      'a pattern that has no end',
      z.strictObject({ word: z.string().regex(/^[a-z]+$/) }),
      '.word: a pattern without a bound',
    ],
    [
      'a pattern that repeats from a number on',
      z.strictObject({ word: z.string().regex(/^[a-z]{2,}$/) }),
      '.word: a pattern without a bound',
    ],
    [
      'a pattern that is found inside of a text',
      z.strictObject({ word: z.string().regex(/[a-z]{1,8}/) }),
      '.word: a pattern of a part of the text',
    ],
    [
      'a pattern of which one half is loose',
      z.strictObject({ word: z.string().regex(/^[a-z]{1,8}$|[0-9]{1,8}/) }),
      '.word: a pattern of a part of the text',
    ],
    [
      'a pattern of any character',
      z.strictObject({ word: z.string().regex(/^.{1,64}$/) }),
      '.word: a pattern of any character',
    ],
    [
      'a pattern of any character but some',
      z.strictObject({ word: z.string().regex(/^[^@]{1,64}$/) }),
      '.word: a pattern of any character',
    ],
    [
      'a pattern with room between words',
      z.strictObject({ word: z.string().regex(/^[a-z]{1,8}( [a-z]{1,8}){0,8}$/) }),
      '.word: a pattern of any character',
    ],
    [
      'a pattern of whatever is no space',
      z.strictObject({ word: z.string().regex(/^\S{1,64}$/) }),
      '.word: a pattern of any character',
    ],
    [
      'a text in a list',
      z.strictObject({ notes: z.array(z.string()) }),
      '.notes.[]: a text without a pattern',
    ],
    [
      'a text that may be null',
      z.strictObject({ note: z.string().nullable() }),
      '.note: a text without a pattern',
    ],
    [
      'a text that may be absent',
      z.strictObject({ note: z.string().optional() }),
      '.note: a text without a pattern',
    ],
    [
      'a text as one of two',
      z.strictObject({ note: z.union([z.number().min(0).max(1), z.string()]) }),
      '.note: a text without a pattern',
    ],
    [
      'a text in a pair',
      z.strictObject({ pair: z.tuple([word, z.string()]) }),
      '.pair.[]: a text without a pattern',
    ],
    [
      'a text for a key',
      z.strictObject({ by: z.record(z.string(), z.boolean()) }),
      '.by.{key}: a text without a pattern',
    ],
    [
      'a text for a value',
      z.strictObject({ by: z.record(word, z.string()) }),
      '.by.{}: a text without a pattern',
    ],
    [
      'an object of unknown keys',
      z.strictObject({ deep: z.object({ word }) }),
      '.deep: keys that nobody knows',
    ],
    [
      'an object that lets through',
      z.strictObject({ deep: z.looseObject({}) }),
      '.deep: keys that nobody knows',
    ],
    ['a number', z.strictObject({ n: z.number() }), '.n: a number without bounds'],
    ['a number of one bound', z.strictObject({ n: z.number().min(0) }), '.n: a number without bounds'],
    ['anything', z.strictObject({ any: z.unknown() }), '.any: anything'],
    ['a list of anything', z.strictObject({ list: z.array(z.unknown()) }), '.list.[]: anything'],
  ])('%s', (_, schema, open) => {
    expect(openPlaces(schema)).toEqual([open]);
  });
});

test('a schema in which everything is closed passes [A2]', () => {
  const closed = z.strictObject({
    word,
    kind: z.enum(['a', 'b']),
    always: z.literal('c'),
    id: z.uuid(),
    star: z.string().regex(/^\*[+*.]\.\{2,\}$/),
    either: z.string().regex(/^(a|b)$|^[c|d]$/),
    narrow: z
      .string()
      .max(9)
      .regex(/^(?=.{1,9}$)[a-z]+$/),
    n: z.number().min(0).max(1).nullable(),
    whole: z.number().int(),
    yes: z.boolean(),
    by: z.record(word, z.strictObject({ word }).optional()),
    some: z.partialRecord(z.enum(['a', 'b']), z.array(word)),
  });
  expect(openPlaces(closed)).toEqual([]);
  expect(placesOf(closed).map(({ path }) => path)).toContain('.some.{}.[]');
});
