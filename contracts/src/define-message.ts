import { z } from 'zod';
import type { Draft, NoFreeText } from './free-text.ts';

/** Builds objects of a schema: strict for writers and outer edges, lenient for readers inside. */
export type ObjectBuilder = typeof z.object;

const strict = z.strictObject as unknown as ObjectBuilder;

/**
 * Builds objects for our own code on both sides: as strict as for an edge, and each object is checked once. What our
 * code hands over never changes, so a part that was checked with one message is as good in the next. True only where
 * reading would give the very same object: none of its defaults is missing.
 */
const once = ((shape: Parameters<ObjectBuilder>[0]) => {
  const checked = new WeakSet<object>();
  const schema = z.strictObject(shape ?? {});
  return z.custom<object>((value) => {
    if (typeof value !== 'object' || value === null) return false;
    if (checked.has(value)) return true;
    const { success, data } = schema.safeParse(value);
    if (!success || Object.keys(data).length !== Object.keys(value).length) return false;
    checked.add(value);
    return true;
  });
}) as unknown as ObjectBuilder;

/** A part that several messages share is one schema for each way to read it, so that it is checked once for all. */
export function part<Schema>(build: (object: ObjectBuilder) => Schema): (object: ObjectBuilder) => Schema {
  const built = new Map<ObjectBuilder, Schema>();
  return (object) => built.getOrInsertComputed(object, () => build(object));
}

/** The name, the subject and the schema of a message in one value: find its references and you find its way. */
export interface MessageContract<Output extends { readonly v: string }, Address> {
  readonly name: string;
  readonly stream: StreamName;
  /** Subject to publish to. Where the stream has an ingest transform it is the one before the transform. */
  readonly subject: (address: Address) => string;
  /** Refuses unknown keys: for writers and outer edges. */
  readonly strict: z.ZodType<Output>;
  /** Ignores unknown keys, so that an older reader understands a newer minor version. */
  readonly lenient: z.ZodType<Output>;
  /** Whether this is just what the strict schema would give; parts that were seen before are not checked anew. */
  readonly fits: (message: unknown) => boolean;
  /** Lists or objects of the message whose members are the same objects from message to message, but for a few. */
  readonly shared?: readonly string[];
}

export const STREAM_NAMES = [
  'CONFIG',
  'POLICY',
  'EVIDENCE',
  'LAYERS',
  'TRUTH',
  'REQUESTS',
  'DECISIONS',
  'LEDGER',
  'OUTCOMES',
  'OPERATOR',
  'SUPPRESSIONS',
  'REJECTED',
] as const;
export type StreamName = (typeof STREAM_NAMES)[number];

export function defineMessage<Schema extends z.ZodType<{ v: string }>, Address>(definition: {
  readonly name: string;
  readonly stream: StreamName;
  readonly subject: (address: Address) => string;
  readonly schema: (object: ObjectBuilder) => Schema;
  readonly shared?: readonly string[];
}): MessageContract<z.output<Schema>, Address> {
  const { name, stream, subject, schema, shared } = definition;
  const own = schema(once);
  return {
    name,
    stream,
    subject,
    strict: schema(strict) as unknown as z.ZodType<z.output<Schema>>,
    lenient: schema(z.object) as unknown as z.ZodType<z.output<Schema>>,
    fits: (message) => own.safeParse(message).success,
    ...(shared ? { shared } : {}),
  };
}

/** A message of the audit: one that has room for free text anywhere does not compile. */
export function defineRecord<Schema extends z.ZodType<{ v: string }>, Address>(definition: {
  readonly name: string;
  readonly subject: (address: Address) => string;
  readonly schema: (object: ObjectBuilder) => Schema & NoFreeText<z.output<Schema>>;
  readonly shared?: readonly string[];
}): MessageContract<z.output<Schema>, Address> {
  return defineMessage({ ...definition, stream: 'DECISIONS' });
}

/** What a reader gets: every string is one of a closed list or has been checked. */
export type MessageOf<Contract> = Contract extends MessageContract<infer Output, never> ? Output : never;

/**
 * What a writer gives to be checked and encoded. The types that stand beside the messages are these: most code cares
 * for the shape alone, and what was read fits it as well.
 */
export type DraftOf<Contract> = Draft<MessageOf<Contract>>;

/** The major version that this code understands. A message of a higher one is never taken for garbage. */
export const CONTRACT_MAJOR = 1;

export const VERSION = '1.0';
