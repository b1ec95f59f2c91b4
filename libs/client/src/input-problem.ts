/** What is wrong with a file that a person wrote, and where. */
export interface InputProblem {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** Such as `mailboxes[0].domain`; empty when it is the file as a whole. */
  readonly path: string;
  readonly message: string;
}

export function problemLine({ file, line, path, message }: InputProblem): string {
  return path === '' ? `${file}:${line}: ${message}` : `${file}:${line}: ${path}: ${message}`;
}

/** A file that cannot be taken as it is. Names every problem at once, so that one edit mends them all. */
export class InputFileError extends Error {
  readonly code = 'input_file';
  readonly problems: readonly InputProblem[];

  constructor(problems: readonly InputProblem[]) {
    const inOrder = problems.toSorted(
      (one, other) => compare(one.file, other.file) || one.line - other.line || compare(one.path, other.path),
    );
    super(inOrder.map(problemLine).join('\n'));
    this.problems = inOrder;
  }
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}

/** What a person would call the reason why a file could not be read. */
export function unreadable(file: string, error: unknown): InputFileError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const message =
    SENTENCES[code] ?? `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  return new InputFileError([{ file, line: 1, path: '', message }]);
}

const SENTENCES: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'is a directory: name a file in it',
  EACCES: 'may not be read by this user',
};
