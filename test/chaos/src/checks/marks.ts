import type { Mark, StreamName } from '@orchestrate/contracts';
import { type Kept, parsed, type StoreContents } from '../store-contents.ts';
import { type Violation, violation } from './violation.ts';

/** The three services that own partitions: where they mark, and what they read. */
export const MARKED = [
  { stream: 'LAYERS', word: 'layer', inputs: ['EVIDENCE', 'CONFIG', 'OPERATOR'] },
  { stream: 'TRUTH', word: 'truth', inputs: ['LAYERS'] },
  { stream: 'LEDGER', word: 'ledger', inputs: ['REQUESTS', 'OPERATOR', 'OUTCOMES', 'CONFIG', 'TRUTH'] },
] as const satisfies readonly { stream: StreamName; word: string; inputs: readonly StreamName[] }[];

export const isMark = ({ subject }: Pick<Kept, 'subject'>): boolean => subject.split('.').length === 2;

/** The newest mark of each partition, by partition. */
export function newestMarks(messages: readonly Kept[]): ReadonlyMap<string, Mark> {
  const marks = new Map<string, Mark>();
  for (const kept of messages) {
    const mark = isMark(kept) ? parsed<Mark>(kept) : null;
    if (mark) marks.set(kept.subject.split('.')[1]!, mark);
  }
  return marks;
}

/** The position up to which each input of a partition is reflected never becomes less, and nor does its time. */
export function checkMarks(contents: StoreContents): Violation[] {
  return MARKED.flatMap(({ stream }) => {
    const marks = contents[stream].filter(isMark);
    return [...Map.groupBy(marks, ({ subject }) => subject)].flatMap(([subject, history]) => {
      const values = history.flatMap((kept) => parsed<Mark>(kept) ?? []);
      return values.flatMap((mark, at) => {
        const before = values[at - 1];
        const fallen = before && fallenPart(before, mark);
        return fallen ? [violation('went_back', subject, fallen)] : [];
      });
    });
  });
}

function fallenPart(before: Mark, after: Mark): string | null {
  if (after.asOfMs < before.asOfMs) return `its time is ${after.asOfMs} after ${before.asOfMs}`;
  for (const [stream, seq] of Object.entries(before.inputs)) {
    const now = after.inputs[stream as StreamName] ?? 0;
    if (now < seq) return `${stream} is reflected up to ${now} after ${seq}`;
  }
  return null;
}

/** Every input is below the mark of its partition: nothing waits any more. */
export function checkSettled(contents: StoreContents): Violation[] {
  return MARKED.flatMap(({ stream, word, inputs }) => {
    const marks = newestMarks(contents[stream]);
    return inputs.flatMap((input) => {
      const last = lastByPartition(contents[input]);
      return [...last].flatMap(([p, seq]) => {
        const reached = marks.get(p)?.inputs[input] ?? 0;
        if (reached >= seq) return [];
        return [violation('not_settled', `${word}.${p}`, `${input} is reflected up to ${reached} of ${seq}`)];
      });
    });
  });
}

/** Marks are inputs too, but one that is not forwarded yet is no backlog; offboardings are nobody's here. */
function lastByPartition(messages: readonly Kept[]): ReadonlyMap<string, number> {
  const last = new Map<string, number>();
  for (const kept of messages) if (!isMark(kept)) last.set(kept.subject.split('.')[1]!, kept.seq);
  return last;
}
