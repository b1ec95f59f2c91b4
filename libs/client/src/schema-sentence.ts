import { z } from 'zod';
import { hint } from './nearest-word.ts';

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

export interface SchemaProblem {
  readonly path: Path;
  readonly message: string;
}

/** What a schema found, in words for the person who wrote the file: one problem for each key that is not known. */
export function schemaProblems(schema: z.ZodType, error: z.ZodError): SchemaProblem[] {
  return error.issues.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') return [{ path: issue.path, message: sentence(issue) }];
    const known = keysAt(schema, issue.path);
    return issue.keys.map((key) => ({
      path: [...issue.path, key],
      message: `is not known here${hint(key, known)}${known.length > 0 ? ` (known: ${known.join(', ')})` : ''}`,
    }));
  });
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
};

function sentence(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type': {
      const wanted = KINDS[issue.expected] ?? issue.expected;
      return issue.input === undefined || issue.input === null
        ? `is missing: it takes ${wanted}`
        : `takes ${wanted}, not ${shown(issue.input)}`;
    }
    case 'invalid_value': {
      const values = issue.values.map(String);
      if (issue.input === undefined) return `is missing: it takes one of ${values.join(', ')}`;
      return `takes one of ${values.join(', ')}, not ${shown(issue.input)}${hint(String(issue.input), values)}`;
    }
    case 'too_small':
      return `${shown(issue.input)} is too ${sizeWord(issue.origin, 'small')}: at least ${issue.minimum}${unitOf(issue.origin)}`;
    case 'too_big':
      return `${shown(issue.input)} is too ${sizeWord(issue.origin, 'big')}: at most ${issue.maximum}${unitOf(issue.origin)}`;
    case 'custom':
      return issue.message;
    default:
      return issue.input === undefined
        ? `is missing: ${lowerFirst(issue.message)}`
        : `${shown(issue.input)} does not fit: ${lowerFirst(issue.message)}`;
  }
}

function shown(input: unknown): string {
  if (Array.isArray(input)) return `a list of ${input.length}`;
  if (typeof input === 'object' && input !== null) return 'a map';
  return `\`${String(input).slice(0, 80)}\``;
}

const sizeWord = (origin: string, size: 'small' | 'big'): string => {
  if (origin === 'number' || origin === 'int') return size === 'small' ? 'small' : 'large';
  return size === 'small' ? 'short' : 'long';
};

const unitOf = (origin: string): string =>
  origin === 'string' ? ' characters' : origin === 'array' ? ' entries' : '';

const lowerFirst = (text: string): string => text.slice(0, 1).toLowerCase() + text.slice(1);

function keysAt(schema: z.ZodType, path: Path): string[] {
  let at = bare(schema);
  for (const segment of path) {
    if (at instanceof z.ZodObject) at = bare(at.shape[segment as string] as z.ZodType | undefined);
    else if (at instanceof z.ZodArray) at = bare(at.element as z.ZodType);
    else return [];
  }
  return at instanceof z.ZodObject ? Object.keys(at.shape) : [];
}

function bare(schema: z.ZodType | undefined): z.ZodType | undefined {
  let inner = schema;
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault || inner instanceof z.ZodNullable) {
    inner = inner.unwrap() as z.ZodType;
  }
  return inner;
}
