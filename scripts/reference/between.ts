/** The text with what stands between two comments replaced; throws when it does not have both. */
export function between(text: string, name: string, made: string, file: string): string {
  const [begin, end] = [`<!-- ${name}: made by \`npm run docs\` -->`, `<!-- /${name} -->`];
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from)
    throw new Error(`${file} has no place for \`${name}\`: write ${begin} and ${end}`);
  return `${text.slice(0, from + begin.length)}\n\n${made.trim()}\n\n${text.slice(to)}`;
}
