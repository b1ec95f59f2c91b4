import { createHash } from 'node:crypto';
import type { CheckVerdict } from '@orchestrate/canon';
import type { Answer } from '../probe/answer.ts';

const HEALTHY: Readonly<Record<string, string>> = { spf: 'pass', dkim: 'valid', dmarc: 'present' };

/** A first impression, by which it is looked at again; what is made of it is the business of the layer. */
export function verdictOf(answer: Answer): CheckVerdict {
  if ('unknown' in answer) return 'unknown';
  return answer.fact in HEALTHY && answer.value !== HEALTHY[answer.fact] ? 'fail' : 'pass';
}

/** A question and what came back: the raw records, or the way in which there are none. */
export interface Evidence {
  readonly name: string;
  readonly type: string;
  readonly outcome: readonly string[] | 'nxdomain' | 'nodata';
}

/** Servers rotate the records of a set: neither their order nor that of the questions changes the digest. */
export function digestOf(evidence: readonly Evidence[]): string {
  const lines = evidence.map(({ name, type, outcome }) =>
    JSON.stringify([name.toLowerCase(), type, typeof outcome === 'string' ? outcome : outcome.toSorted()]),
  );
  return createHash('sha256')
    .update([...new Set(lines)].sort().join('\n'))
    .digest('hex');
}

const NAME_OCTETS_MAX = 253;
const LABEL_OCTETS_MAX = 63;

/** RFC 1035 2.3.4: a name over these sizes cannot be asked for, which is no evidence about what it holds. */
export function isNameTooLong(name: string): boolean {
  return name.length > NAME_OCTETS_MAX || name.split('.').some((label) => label.length > LABEL_OCTETS_MAX);
}
