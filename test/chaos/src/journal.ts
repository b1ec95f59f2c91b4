import { appendFileSync, readFileSync } from 'node:fs';
import type { StreamName } from '@orchestrate/contracts';

export const OPERATION_KINDS = [
  'config',
  'evidence',
  'heartbeat',
  'request',
  'command',
  'outcome',
  /** Not to be understood by anybody: it has to be rejected by whoever reads it. */
  'garbage',
] as const;
export type OperationKind = (typeof OPERATION_KINDS)[number];

/** What was about to be sent. */
export interface Attempt {
  readonly kind: OperationKind;
  readonly stream: StreamName;
  /** As the stream stores it, its partition included. */
  readonly subject: string;
  /** SHA-256 of its bytes: no two operations send the same. */
  readonly digest: string;
}

/** What became of it; `unknown`: no acknowledgement came, it may be there or come to be there later. */
export type Ending =
  | { readonly state: 'ok'; readonly seq: number }
  | { readonly state: 'refused'; readonly problem: string }
  | { readonly state: 'unknown'; readonly problem: string };

export type Operation = Attempt & { readonly op: number; readonly ending: Ending };

const PENDING: Ending = { state: 'unknown', problem: 'no answer was noted' };

type Line = { readonly op: number; readonly atMs: number } & (
  | ({ readonly at: 'invoke' } & Attempt)
  | ({ readonly at: 'end' } & Ending)
);

/**
 * Everything that was sent, each noted before it is sent and again when its answer is known. Only appended to: what
 * has no second line has no known ending.
 */
export class Journal {
  readonly #file: string | null;
  readonly #operations: Operation[] = [];

  /** With a file every line is also written there, so that a run that dies can still be judged. */
  constructor(file: string | null = null) {
    this.#file = file;
  }

  /** The number of the operation; to be called before anything leaves. */
  invoke(attempt: Attempt): number {
    const op = this.#operations.length;
    this.#operations.push({ ...attempt, op, ending: PENDING });
    this.#append({ at: 'invoke', op, atMs: Date.now(), ...attempt });
    return op;
  }

  end(op: number, ending: Ending): void {
    const known = this.#operations[op];
    if (!known || known.ending !== PENDING) throw new Error(`operation ${op} does not wait for its ending`);
    this.#operations[op] = { ...known, ending };
    this.#append({ at: 'end', op, atMs: Date.now(), ...ending });
  }

  operations(): readonly Operation[] {
    return this.#operations.slice();
  }

  #append(line: Line): void {
    if (this.#file) appendFileSync(this.#file, `${JSON.stringify(line)}\n`);
  }
}

/** The operations of a journal's file. A last line that was cut off counts as not written. */
export function readJournal(file: string): readonly Operation[] {
  const operations: Operation[] = [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  for (const text of lines) {
    const { at, op, atMs: _atMs, ...rest } = JSON.parse(text) as Line;
    if (at === 'invoke') operations[op] = { ...(rest as Attempt), op, ending: PENDING };
    else operations[op] = { ...operations[op]!, ending: rest as Ending };
  }
  return operations;
}
