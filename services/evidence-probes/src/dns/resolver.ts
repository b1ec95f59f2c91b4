import { abandoned, askServer } from './ask-server.ts';
import { type Absence, type DnsAnswer, type DnsResolver, noAnswer, type QuestionType } from './dns-answer.ts';
import { askableName } from './query-message.ts';
import { resolverAddresses, type ServerAddress } from './server-address.ts';

export interface DnsResolverOptions {
  /** Recursive resolvers as `ip` or `ip:port`. Empty: those of this machine. */
  readonly servers: readonly string[];
  /** For one try at one server. */
  readonly timeoutMs: number;
  /** At each server, when it is silent or cannot be understood. */
  readonly tries: number;
}

/**
 * Asks recursive resolvers one after the other. One that has records is believed. One that says no is believed when
 * another one says so too: a single resolver may filter, lag behind or be lied to, and a no condemns a tenant. Where
 * only one is configured its word has to do. One that fails is passed over. What no two of them agree on is no answer.
 */
export function createDnsResolver({ servers, timeoutMs, tries }: DnsResolverOptions): DnsResolver {
  const addresses = resolverAddresses(servers);
  return {
    async ask(text, type, { signal } = {}) {
      const name = askableName(text);
      if (name === undefined) return noAnswer('no_answer');
      if (signal?.aborted) return abandoned(signal);
      return await askInTurn(addresses, (server) =>
        askServer(server, { name, type }, { timeoutMs, tries, signal }),
      );
    },
  };
}

async function askInTurn<Type extends QuestionType>(
  servers: readonly ServerAddress[],
  ask: (server: ServerAddress) => Promise<DnsAnswer<Type>>,
): Promise<DnsAnswer<Type>> {
  let no: Absence | undefined;
  let failure = noAnswer('no_answer');
  for (const server of servers) {
    const answer = await ask(server);
    if (answer.kind === 'records') return no === undefined ? answer : noAnswer('disagreement');
    if (answer.kind === 'no_answer') failure = answer;
    else if (no !== undefined) return { ...no, ttlSec: Math.min(no.ttlSec, answer.ttlSec) };
    else if (servers.length === 1) return answer;
    else no = answer;
  }
  return failure;
}
