import { digestOfBytes } from '@orchestrate/canon';
import type { StreamName } from '@orchestrate/contracts';
import type { Operation } from '../journal.ts';
import type { Kept, StoreContents } from '../store-contents.ts';
import { type Violation, violation } from './violation.ts';

/** The streams that only the journal's writer writes to. */
export const EDGE_STREAMS = ['CONFIG', 'EVIDENCE', 'REQUESTS', 'OPERATOR', 'OUTCOMES'] as const;

/** Each message that was acknowledged stands where it was said to stand, once, and nothing else does. */
export function checkDelivery(operations: readonly Operation[], contents: StoreContents): Violation[] {
  return EDGE_STREAMS.flatMap((stream) => {
    const sent = operations.filter((operation) => operation.stream === stream);
    return [...lost(stream, sent, contents[stream]), ...surplus(stream, sent, contents[stream])];
  });
}

function lost(stream: StreamName, sent: readonly Operation[], kept: readonly Kept[]): Violation[] {
  const bySeq = new Map(kept.map((message) => [message.seq, message]));
  return sent.flatMap(({ ending, subject, digest }) => {
    if (ending.state !== 'ok') return [];
    const found = bySeq.get(ending.seq);
    if (found?.subject === subject && digestOfBytes(found.data) === digest) return [];
    const told = found ? `another message stands there, on ${found.subject}` : `${subject} was acknowledged`;
    return [violation('lost', `${stream}/${ending.seq}`, told)];
  });
}

function surplus(stream: StreamName, sent: readonly Operation[], kept: readonly Kept[]): Violation[] {
  const attempts = new Map(sent.map((operation) => [operation.digest, operation]));
  const seen = new Map<string, number>();
  return kept.flatMap(({ seq, subject, data }) => {
    const where = `${stream}/${seq}`;
    const digest = digestOfBytes(data);
    const attempt = attempts.get(digest);
    if (attempt?.subject !== subject) return [violation('unexpected', where, `nobody sent it to ${subject}`)];
    const before = seen.get(digest);
    seen.set(digest, seq);
    if (before !== undefined) return [violation('doubled', where, `it stands at ${before} as well`)];
    if (attempt.ending.state === 'refused')
      return [violation('unexpected', where, `it was refused: ${attempt.ending.problem}`)];
    return [];
  });
}
