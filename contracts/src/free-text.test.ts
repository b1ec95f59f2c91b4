import { expect, test } from 'vitest';
import { z } from 'zod';
import type {
  approvalRecorded,
  decisionRecorded,
  interventionRecorded,
  outcomeRecorded,
} from './decision.ts';
import type { DraftOf } from './define-message.ts';
import { defineRecord, type MessageOf } from './define-message.ts';
import type { FreeText } from './free-text.ts';
import { id, version } from './scalars.ts';

type Id = z.output<typeof id>;

/** Compiles only when the places that are named are all that there are. */
function isClosed<T>(..._: [FreeText<T>] extends [never] ? [] : [openAt: FreeText<T>]): void {}

test('no record of the audit has a place for free text, by its type [A1]', () => {
  isClosed<MessageOf<typeof decisionRecorded>>();
  isClosed<MessageOf<typeof outcomeRecorded>>();
  isClosed<MessageOf<typeof interventionRecorded>>();
  isClosed<MessageOf<typeof approvalRecorded>>();
});

test('a type in which every string is closed or checked passes [A1]', () => {
  isClosed<{
    id: Id;
    kind: 'a' | 'b';
    maybe: Id | null;
    absent?: Id;
    list: readonly Id[];
    by: Record<Id, { deep: Id[] }>;
    some: Partial<Record<'a' | 'b', number>>;
    one: { kind: 'a'; id: Id } | { kind: 'b'; n: number };
    yes: boolean;
    n: number;
  }>();
});

test('one plain string does not compile, wherever it stands [A1]', () => {
  // @ts-expect-error at the top
  isClosed<{ note: string }>();
  // @ts-expect-error in an object in an object
  isClosed<{ a: { b: { note: string } } }>();
  // @ts-expect-error in a list
  isClosed<{ notes: string[] }>();
  // @ts-expect-error in an object in a list of lists
  isClosed<{ notes: readonly (readonly { note: string }[])[] }>();
  // @ts-expect-error as the value of a record
  isClosed<{ by: Record<Id, string> }>();
  // @ts-expect-error as the key of a record
  isClosed<{ by: Record<string, number> }>();
  // @ts-expect-error as one of two
  isClosed<{ note: 'a' | number | string }>();
  // @ts-expect-error in one of two objects
  isClosed<{ one: { kind: 'a'; id: Id } | { kind: 'b'; note: string } }>();
  // @ts-expect-error where it may be null
  isClosed<{ note: string | null }>();
  // @ts-expect-error where it may be absent
  isClosed<{ note?: string }>();
  // @ts-expect-error a pattern that the compiler knows has room for anything
  isClosed<{ note: `to ${string}` }>();
  // @ts-expect-error what could be anything could be a string
  isClosed<{ note: unknown }>();
  // @ts-expect-error also where nobody looks
  // biome-ignore lint/suspicious/noExplicitAny: the very thing that must not pass
  isClosed<{ note: any }>();
  // @ts-expect-error the place that is told has to be the place
  isClosed<{ a: { note: string }[] }>('.a.note');
  isClosed<{ a: { note: string }[] }>('.a[].note');
  isClosed<{ by: Record<string, string> }>('.by.{key}');
  isClosed<{ by: Record<string, string> }>('.by.{}');
});

test('a record with one plain string cannot be defined [A1]', () => {
  const name = 'test.record';
  const subject = (_: null) => 'decision.7.acme.TEST';
  const record = defineRecord({ name, subject, schema: (object) => object({ v: version, id }) });
  expect(record.stream).toBe('DECISIONS');
  // @ts-expect-error a note has room for anything
  defineRecord({ name, subject, schema: (object) => object({ v: version, note: z.string().max(9) }) });
  defineRecord({
    name,
    subject,
    // @ts-expect-error a pattern without a brand is a string to every reader
    schema: (object) => object({ v: version, note: z.string().regex(/^a$/) }),
  });
});

test('a draft says in plain strings what a reader gets checked [A1]', () => {
  const draft: DraftOf<typeof outcomeRecorded>['dispatchId'] = 'd-1';
  // @ts-expect-error not checked yet
  const read: MessageOf<typeof outcomeRecorded>['dispatchId'] = draft;
  // @ts-expect-error a closed word stays a closed word
  const state: DraftOf<typeof outcomeRecorded>['state'] = draft;
  expect([read, state]).toEqual(['d-1', 'd-1']);
});
