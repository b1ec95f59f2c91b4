import { readFileSync, writeFileSync } from 'node:fs';

/** Replaces what stands between two comments of a document; throws when it does not have both. */
export function writeBetween(file: string, name: string, text: string): void {
  const [begin, end] = [`<!-- ${name}: made by \`npm run docs\` -->`, `<!-- /${name} -->`];
  const document = readFileSync(file, 'utf8');
  const from = document.indexOf(begin);
  const to = document.indexOf(end);
  if (from < 0 || to < from)
    throw new Error(`${file} has no place for \`${name}\`: write ${begin} and ${end}`);
  const next = `${document.slice(0, from + begin.length)}\n${text.trim()}\n${document.slice(to)}`;
  if (next !== document) writeFileSync(file, next);
}
