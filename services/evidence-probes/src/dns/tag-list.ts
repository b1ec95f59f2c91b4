/** A list of `tag=value;` (RFC 6376 3.2), as DKIM keys and DMARC policies are written. */
export interface TagList {
  readonly tags: ReadonlyMap<string, string>;
  /** Tag names in the order of the record. */
  readonly names: readonly string[];
  readonly hasDuplicate: boolean;
  /** A part that is not `tag=value`. */
  readonly hasStray: boolean;
}

/** RFC 6376 2.8. What else JavaScript takes for blank, such as U+00A0, is none here. */
const BLANKS = ' \t\r\n';

export function trimBlanks(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && BLANKS.includes(text[start]!)) start++;
  while (start < end && BLANKS.includes(text[end - 1]!)) end--;
  return text.slice(start, end);
}

const TAG_NAME = /^[a-z][a-z0-9_]*$/i;

export function readTagList(text: string): TagList {
  const parts = text
    .split(';')
    .map(trimBlanks)
    .filter((part) => part !== '');
  const pairs = parts.map(readPair).filter((pair) => pair !== undefined);
  const names = pairs.map(([name]) => name);
  return {
    tags: new Map(pairs),
    names,
    hasDuplicate: new Set(names).size < names.length,
    hasStray: pairs.length < parts.length,
  };
}

function readPair(part: string): [string, string] | undefined {
  const at = part.indexOf('=');
  const name = trimBlanks(part.slice(0, Math.max(at, 0)));
  return TAG_NAME.test(name) ? [name, trimBlanks(part.slice(at + 1))] : undefined;
}
