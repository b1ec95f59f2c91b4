/** A list of `tag=value;` (RFC 6376 3.2), as DKIM keys and DMARC policies are written. */
export interface TagList {
  readonly tags: ReadonlyMap<string, string>;
  /** Tag names in the order of the record. */
  readonly names: readonly string[];
  readonly hasDuplicate: boolean;
  /** A part that is not `tag=value`. */
  readonly hasStray: boolean;
}

const TAG_NAME = /^[a-z][a-z0-9_]*$/i;

export function readTagList(text: string): TagList {
  const parts = text
    .split(';')
    .map((part) => part.trim())
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
  const name = part.slice(0, Math.max(at, 0)).trim();
  return TAG_NAME.test(name) ? [name, part.slice(at + 1).trim()] : undefined;
}
