/**
 * The form of a master file (RFC 1035 5.1), apart from what its entries mean. An entry ends with its line unless a
 * parenthesis is open, `;` begins a comment, quotes make one word of what stands between them. Escapes are kept:
 * what they stand for depends on whether the word is a name or a string.
 */
export interface Entry {
  /** Where it begins, counted from 1. */
  readonly line: number;
  /** An entry that begins with a blank is about the name of the one before. */
  readonly startsBlank: boolean;
  readonly words: readonly Word[];
}

export interface Word {
  readonly text: string;
  readonly isQuoted: boolean;
}

/** What is wrong with a zone text. Without a line it is the text as a whole. */
export interface ZoneProblem {
  /** Counted from 1. */
  readonly line?: number;
  readonly message: string;
}

const TOKEN =
  /(?<newline>\n)|(?<blank>[ \t\r]+)|;[^\n]*|"(?<quoted>(?:\\[^\n]|[^"\\\n])*)"|(?<parenthesis>[()])|(?<bare>(?:\\[^\n]|[^\s;()"\\])+)|(?<stray>.)/gsu;

interface Draft {
  readonly line: number;
  readonly startsBlank: boolean;
  readonly words: Word[];
  isBroken: boolean;
}

/** All entries that have the form, and what is wrong with the others. */
export function readEntries(text: string): { entries: Entry[]; problems: ZoneProblem[] } {
  const entries: Entry[] = [];
  const problems: ZoneProblem[] = [];
  let line = 1;
  const opened: number[] = [];
  let draft = newDraft(text, 0, line);
  const complain = (message: string, at = line) => {
    problems.push({ line: at, message });
    draft.isBroken = true;
  };
  const finish = () => {
    if (draft.words.length > 0 && !draft.isBroken) entries.push(draft);
  };

  const tokens = new RegExp(TOKEN);
  for (let match = tokens.exec(text); match !== null; match = tokens.exec(text)) {
    const { newline, quoted, parenthesis, bare, stray } = match.groups ?? {};
    if (newline !== undefined) {
      line += 1;
      if (opened.length > 0) continue;
      finish();
      draft = newDraft(text, tokens.lastIndex, line);
    } else if (quoted !== undefined) draft.words.push({ text: quoted, isQuoted: true });
    else if (bare !== undefined) draft.words.push({ text: bare, isQuoted: false });
    else if (parenthesis === '(') opened.push(line);
    else if (parenthesis === ')' && opened.pop() === undefined) complain('`)` closes nothing');
    else if (stray !== undefined) {
      complain(stray === '"' ? 'a quote is not closed on its line' : `${nameOf(stray)} does not belong here`);
      tokens.lastIndex = endOfLine(text, match.index);
    }
  }
  if (opened[0] !== undefined && !draft.isBroken) complain('`(` is not closed', opened[0]);
  finish();
  return { entries, problems };
}

function newDraft(text: string, at: number, line: number): Draft {
  return { line, startsBlank: /[ \t]/.test(text.charAt(at)), words: [], isBroken: false };
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
}

function nameOf(character: string): string {
  return `U+${character.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}`;
}
