import type { z } from 'zod';

/** A string of which a schema has checked the form; only reading through that schema gives one. */
type Branded = { readonly [z.$brand]: unknown };

type IsBranded<T> = T extends Branded ? true : false;

/** Closed is a literal and a union of them; `string` and a pattern of string literals have room for anything. */
type IsOpen<T extends string> =
  IsBranded<T> extends true ? false : Record<never, never> extends Record<T, 1> ? true : false;

/**
 * The places of a type in which free text could stand, as a union of paths; `never` where there is none. What could
 * be anything (`any`, `unknown`) could be text.
 */
export type FreeText<T, Path extends string = ''> = unknown extends T
  ? Path
  : T extends string
    ? IsOpen<T> extends true
      ? Path
      : never
    : T extends number | bigint | boolean | null | undefined
      ? never
      : T extends readonly (infer Element)[]
        ? FreeText<Element, `${Path}[]`>
        : { [Key in keyof T]-?: FreeTextAt<T, Key, Path> }[keyof T];

type FreeTextAt<T, Key extends keyof T, Path extends string> = Key extends string
  ? IsOpen<Key> extends true
    ? `${Path}.{key}` | FreeText<T[Key], `${Path}.{}`>
    : FreeText<T[Key], `${Path}.${IsBranded<Key> extends true ? '{}' : Key}`>
  : FreeText<T[Key], `${Path}.{}`>;

/** Anything goes with it where `T` has no room for free text; else the compiler names the places. */
export type NoFreeText<T> = [FreeText<T>] extends [never] ? unknown : { readonly freeTextAt: FreeText<T> };

/** The same shape in plain strings: what a writer says before it is checked. */
export type Draft<T> = T extends string
  ? T extends Branded
    ? string
    : T
  : T extends number | bigint | boolean | null | undefined
    ? T
    : T extends readonly (infer Element)[]
      ? Draft<Element>[]
      : { [Key in keyof T as DraftKey<Key>]: Draft<T[Key]> };

type DraftKey<Key> = Key extends Branded ? string : Key;
