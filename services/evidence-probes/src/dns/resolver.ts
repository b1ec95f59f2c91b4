import { Resolver } from 'node:dns/promises';

export type NoAnswerReason = 'timeout' | 'servfail' | 'refused' | 'no_answer';

export type TxtAnswer =
  | { kind: 'records'; records: string[] }
  | { kind: 'absent'; how: 'nxdomain' | 'nodata' }
  | { kind: 'no_answer'; reason: NoAnswerReason };

export type DnsFailure = Exclude<TxtAnswer, { kind: 'records' }>;

export interface TxtResolver {
  /** The TXT records of a name, the strings of each joined (RFC 7208 3.3, RFC 6376 3.6.2.2). Never rejects. */
  txt(name: string): Promise<TxtAnswer>;
  /** Records of any type in the shapes of `node:dns`; rejects with the code of the failure. */
  resolve(name: string, type: string): Promise<unknown>;
}

export interface TxtResolverOptions {
  /** `host:port` of recursive resolvers, the host an IP address. Empty: those of this machine. */
  readonly servers: readonly string[];
  /** For one try at one server. */
  readonly timeoutMs: number;
  /** At each server. */
  readonly tries: number;
}

/**
 * What the codes of c-ares say. Two of them are an authoritative no: the name does not exist (NXDOMAIN,
 * RFC 2308 2.1) or it has no such record (NODATA, 2.2). All others, and any not listed, are news about the
 * way to the answer, not about the name.
 */
export const CODE_MEANINGS: Readonly<Record<string, DnsFailure>> = {
  ENOTFOUND: { kind: 'absent', how: 'nxdomain' },
  ENODATA: { kind: 'absent', how: 'nodata' },
  ETIMEOUT: { kind: 'no_answer', reason: 'timeout' },
  ESERVFAIL: { kind: 'no_answer', reason: 'servfail' },
  EREFUSED: { kind: 'no_answer', reason: 'refused' },
  ECONNREFUSED: { kind: 'no_answer', reason: 'no_answer' },
  ECANCELLED: { kind: 'no_answer', reason: 'no_answer' },
  EFORMERR: { kind: 'no_answer', reason: 'no_answer' },
  ENOTIMP: { kind: 'no_answer', reason: 'no_answer' },
  EBADRESP: { kind: 'no_answer', reason: 'no_answer' },
  EBADNAME: { kind: 'no_answer', reason: 'no_answer' },
};

const NO_ANSWER: DnsFailure = { kind: 'no_answer', reason: 'no_answer' };

export function meaningOf(error: unknown): DnsFailure {
  return CODE_MEANINGS[codeOf(error)] ?? NO_ANSWER;
}

export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** The servers are asked one after the other until one of them knows: `servfail` of one is not the answer of all. */
export function createTxtResolver({ servers, timeoutMs, tries }: TxtResolverOptions): TxtResolver {
  const resolvers = (servers.length > 0 ? servers : [undefined]).map((server) => {
    const resolver = new Resolver({ timeout: timeoutMs, maxTimeout: timeoutMs, tries });
    if (server !== undefined) resolver.setServers([server]);
    return resolver;
  });

  const ask = async <Records>(question: (resolver: Resolver) => Promise<Records>): Promise<Records> => {
    let failure: unknown;
    for (const resolver of resolvers) {
      try {
        return await question(resolver);
      } catch (error) {
        failure = error;
        if (meaningOf(error).kind === 'absent') break;
      }
    }
    throw failure;
  };

  return {
    async txt(name) {
      try {
        const records = await ask((resolver) => resolver.resolveTxt(name));
        return { kind: 'records', records: records.map((strings) => strings.join('')) };
      } catch (error) {
        return meaningOf(error);
      }
    },
    resolve: (name, type) => ask((resolver) => resolver.resolve(name, type)),
  };
}
