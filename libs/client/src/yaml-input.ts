import { readFile } from 'node:fs/promises';
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
} from 'yaml';
import type { z } from 'zod';
import { InputFileError, type InputProblem, unreadable } from './input-problem.ts';
import { schemaProblems } from './schema-sentence.ts';

type Path = readonly PropertyKey[];

/** A YAML file that fits its schema, and the way back from any of its values to the line where it stands. */
export interface YamlInput<T> {
  readonly value: T;
  readonly problem: (path: Path, message: string) => InputProblem;
}

/** Throws InputFileError with everything that is wrong. */
export async function readYamlFile<T>(file: string, schema: z.ZodType<T>): Promise<YamlInput<T>> {
  return readYaml(await readText(file), file, schema);
}

export async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw unreadable(file, error);
  }
}

export function readYaml<T>(text: string, file: string, schema: z.ZodType<T>): YamlInput<T> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0) {
    throw new InputFileError(
      faults.map(({ pos, message }) => ({
        file,
        line: lines.linePos(pos[0]).line,
        path: '',
        message: lowerFirst(message),
      })),
    );
  }
  const problem = (path: Path, message: string): InputProblem => ({
    file,
    line: lineOf(document, path, lines),
    path: spelled(path),
    message,
  });
  const value = toValue(document, problem);
  const checked = schema.safeParse(value, { reportInput: true });
  if (!checked.success) {
    const found = schemaProblems(schema, checked.error);
    throw new InputFileError(found.map(({ path, message }) => problem(path, message)));
  }
  return { value: checked.data, problem };
}

function toValue(document: Document, problem: YamlInput<unknown>['problem']): unknown {
  if (document.contents === null) throw new InputFileError([problem([], 'is empty')]);
  try {
    return document.toJS({ maxAliasCount: 1000 });
  } catch (error) {
    throw new InputFileError([problem([], lowerFirst((error as Error).message))]);
  }
}

/** The line of the deepest key or list entry on the way to this path that is written down. */
function lineOf(document: Document, path: Path, lines: LineCounter): number {
  let node: unknown = document.contents;
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
  for (const segment of path) {
    const found = step(isAlias(node) ? node.resolve(document) : node, segment);
    if (!found) break;
    offset = found.at.range?.[0] ?? offset;
    node = found.node;
  }
  return Math.max(1, lines.linePos(offset).line);
}

function step(node: unknown, segment: PropertyKey): { at: Node; node: unknown } | null {
  if (isSeq(node)) {
    const item = node.items[Number(segment)];
    return isNode(item) ? { at: item, node: item } : null;
  }
  if (!isMap(node)) return null;
  const pair = node.items.find(({ key }) => String(isScalar(key) ? key.value : key) === String(segment));
  return pair && isNode(pair.key) ? { at: pair.key, node: pair.value } : null;
}

function spelled(path: Path): string {
  return path
    .map((segment) => (typeof segment === 'number' ? `[${segment}]` : `.${String(segment)}`))
    .join('')
    .replace(/^\./, '');
}

const lowerFirst = (text: string): string => text.slice(0, 1).toLowerCase() + text.slice(1);
