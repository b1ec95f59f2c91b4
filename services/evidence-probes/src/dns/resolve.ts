import type { AskOptions, DnsAnswer, DnsResolver } from './dns-answer.ts';
import { CODE_OF_ABSENCE, CODE_OF_REASON, dnsError, isQuestionType, nodeRecords } from './node-dns-shapes.ts';
import { askableName } from './query-message.ts';

export interface ResolveOptions extends AskOptions {
  /** Told of each answer first; what it throws is thrown. */
  readonly seen?: (name: string, type: string, answer: DnsAnswer) => void;
}

/** A resolver as `node:dns` would be one, for libraries that take no other: it rejects with its codes. */
export function resolveWith(
  resolver: DnsResolver,
  { seen, ...options }: ResolveOptions = {},
): (name: string, type: string) => Promise<unknown> {
  return async (name, type) => {
    if (!isQuestionType(type)) throw dnsError('ENOTIMP', `records of type ${type} are not asked for`);
    if (askableName(name) === undefined) throw dnsError('EBADNAME', 'no query can carry the name');
    const answer = await resolver.ask(name, type, options);
    seen?.(name, type, answer);
    if (answer.kind === 'records') return nodeRecords(answer, type);
    throw answer.kind === 'absent'
      ? dnsError(CODE_OF_ABSENCE[answer.how], `no record: ${answer.how}`)
      : dnsError(CODE_OF_REASON[answer.reason], `no answer: ${answer.reason}`);
  };
}
