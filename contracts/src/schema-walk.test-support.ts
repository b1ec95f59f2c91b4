import { z } from 'zod';

type Schema = z.core.JSONSchema.BaseSchema;

/** One place of a schema that takes a value: `.gates.[].outcome`. Keys of a record are `{key}`, its values `{}`. */
export interface Place {
  readonly path: string;
  readonly schema: Schema;
}

export function placesOf(schema: z.ZodType): readonly Place[] {
  return placesIn(z.toJSONSchema(schema, { io: 'input', reused: 'inline', unrepresentable: 'any' }), '');
}

function placesIn(schema: Schema, path: string): Place[] {
  const alternatives = [
    ...(schema.anyOf ?? []),
    ...(schema.oneOf ?? []),
    ...(schema.allOf ?? []),
  ] as Schema[];
  if (alternatives.length > 0) return alternatives.flatMap((one) => placesIn(one, path));
  const { properties, items, propertyNames: key, additionalProperties: rest } = schema;
  const tuple = (schema.prefixItems ?? []) as Schema[];
  return [
    { path, schema },
    ...Object.entries(properties ?? {}).flatMap(([name, one]) => placesIn(one as Schema, `${path}.${name}`)),
    ...tuple.flatMap((one) => placesIn(one, `${path}.[]`)),
    ...(isSchema(items) ? placesIn(items, `${path}.[]`) : []),
    ...(isSchema(key) ? placesIn(key, `${path}.{key}`) : []),
    ...(isSchema(key) && isSchema(rest) ? placesIn(rest, `${path}.{}`) : []),
  ];
}

const isSchema = (value: unknown): value is Schema => typeof value === 'object' && value !== null;

/** The places of a schema that leave room for what nobody foresaw, each with what is open there. */
export function openPlaces(schema: z.ZodType): readonly string[] {
  return placesOf(schema).flatMap(({ path, schema: place }) => {
    const open = openness(place);
    return open === null ? [] : [`${path || '.'}: ${open}`];
  });
}

function openness(schema: Schema): string | null {
  if (schema.const !== undefined || schema.enum) return null;
  const kinds = [schema.type].flat();
  return kinds.map((kind) => opennessOf(kind, schema)).find((open) => open !== null) ?? null;
}

function opennessOf(kind: Schema['type'], schema: Schema): string | null {
  switch (kind) {
    case 'string':
      return opennessOfText(schema);
    case 'number':
    case 'integer':
      return schema.minimum === undefined || schema.maximum === undefined ? 'a number without bounds' : null;
    case 'object':
      return opennessOfObject(schema);
    case 'array':
      return isSchema(schema.items) || schema.prefixItems ? null : 'a list of anything';
    case 'boolean':
    case 'null':
      return null;
    default:
      return 'anything';
  }
}

const CLOSED_FORMATS = ['uuid', 'date', 'date-time', 'ipv4', 'ipv6'];

function opennessOfText({ pattern, format, maxLength, contentEncoding }: Schema): string | null {
  if (contentEncoding !== undefined) return 'a text in another encoding';
  if (format !== undefined && CLOSED_FORMATS.includes(format)) return null;
  if (pattern === undefined) return 'a text without a pattern';
  const holes = holesOf(pattern);
  return holes === 'a pattern without a bound' && maxLength !== undefined ? null : holes;
}

/** A look-ahead only narrows; what stands escaped or in brackets is taken as it is, and repeats nothing. */
function holesOf(pattern: string): string | null {
  const narrowed = pattern.replace(/\(\?=[^)]*\)/g, '');
  const bare = narrowed.replace(/\\./g, '_').replace(/\[[^\]]*\]/g, '_');
  const isWhole = alternativesOf(bare).every((one) => one.startsWith('^') && one.endsWith('$'));
  if (!isWhole) return 'a pattern of a part of the text';
  if (bare.includes('.') || /\[\^|\\[sSWD]| /.test(narrowed)) return 'a pattern of any character';
  return /[*+]|\{\d+,\}/.test(bare) ? 'a pattern without a bound' : null;
}

/** What stands between the bars that are in no group. */
function alternativesOf(bare: string): string[] {
  let flat = bare;
  while (/\([^()]*\)/.test(flat)) flat = flat.replace(/\([^()]*\)/g, '_');
  return flat.split('|');
}

/** Either its keys are all known, or each has a closed form and a closed value. */
function opennessOfObject({ additionalProperties: rest, propertyNames: key }: Schema): string | null {
  if (rest === false) return null;
  return isSchema(rest) && isSchema(key) ? null : 'keys that nobody knows';
}
