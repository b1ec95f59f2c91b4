/** The word that was probably meant, or undefined when none is near. */
export function nearestWord(written: string, words: Iterable<string>): string | undefined {
  const typosMax = written.length < 5 ? 1 : 2;
  let nearest: { word: string; typos: number } | undefined;
  for (const word of words) {
    const typos = word.toLowerCase() === written.toLowerCase() ? 0 : typosBetween(written, word);
    if (typos <= typosMax && typos < (nearest?.typos ?? typosMax + 1)) nearest = { word, typos };
  }
  return nearest?.word;
}

/** The end of a sentence that names it, or nothing. */
export function hint(written: string, words: Iterable<string>): string {
  const word = nearestWord(written, words);
  return word === undefined ? '' : `; did you mean \`${word}\`?`;
}

/** Letters to insert, drop or replace, or neighbours to swap (optimal string alignment). */
function typosBetween(one: string, other: string): number {
  let before: number[] = [];
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const replaced = row[j - 1]! + (one[i - 1] === other[j - 1] ? 0 : 1);
      const swapped =
        i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]
          ? before[j - 2]! + 1
          : Infinity;
      next.push(Math.min(replaced, swapped, row[j]! + 1, next[j - 1]! + 1));
    }
    before = row;
    row = next;
  }
  return row[other.length]!;
}
