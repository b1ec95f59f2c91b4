import type { DnsResolver } from './dns-answer.ts';
import { CODE_OF_ABSENCE, CODE_OF_REASON, dnsError, isQuestionType, nodeRecords } from './node-dns-shapes.ts';

/** A resolver as `node:dns` would be one, for libraries that take no other: it rejects with its codes. */
export function resolveWith(resolver: DnsResolver): (name: string, type: string) => Promise<unknown> {
  return async (name, type) => {
    if (!isQuestionType(type)) throw dnsError('ENOTIMP', `no questions of type ${type}`);
    const answer = await resolver.ask(name, type);
    if (answer.kind === 'records') return nodeRecords(answer, type);
    const code = answer.kind === 'absent' ? CODE_OF_ABSENCE[answer.how] : CODE_OF_REASON[answer.reason];
    throw dnsError(code, `${type} ${name}: ${code}`);
  };
}
