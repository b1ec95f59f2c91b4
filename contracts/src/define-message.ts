import { z } from 'zod';
import type { Draft, NoFreeText } from './free-text.ts';

/** Builds objects of a schema: strict for writers and outer edges, lenient for readers inside. */
export type ObjectBuilder = typeof z.object;

const strict = z.strictObject as unknown as ObjectBuilder;

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
  /** Whether a writer may send this: as strict, without the copy that reading makes. */
  readonly fits: (message: unknown) => boolean;
  /** The same two schemas as straight code, for whoever reads many: each is compiled when it is first asked for. */
  readonly compiled: { readonly strict: z.ZodType<Output>; readonly lenient: z.ZodType<Output> };
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
}): MessageContract<z.output<Schema>, Address> {
  const { name, stream, subject, schema } = definition;
  const plain = {
    strict: schema(strict) as unknown as z.ZodType<z.output<Schema>>,
    lenient: schema(z.object) as unknown as z.ZodType<z.output<Schema>>,
  };
  const written = once(() => z.compile(plain.strict));
  const read = once(() => z.compile(plain.lenient));
  const compiled = {
    get strict() {
      return written();
    },
    get lenient() {
      return read();
    },
  };
  return { name, stream, subject, ...plain, compiled, fits: (message) => written().validate(message) };
}

/** Compiling takes some tens of milliseconds for a large message: a command pays for what it reads and writes alone. */
function once<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

/** A message of the audit: one that has room for free text anywhere does not compile. */
export function defineRecord<Schema extends z.ZodType<{ v: string }>, Address>(definition: {
  readonly name: string;
  readonly subject: (address: Address) => string;
  readonly schema: (object: ObjectBuilder) => Schema & NoFreeText<z.output<Schema>>;
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
