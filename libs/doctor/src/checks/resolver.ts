import { getServers } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { milliseconds } from '../figures.ts';
import { fail, type Judgement, ok, warn } from '../finding.ts';
import type { Surroundings } from '../surroundings.ts';

const TRY_MS_MAX = 1_500;
const TRIES = 2;

/** The codes of c-ares that are an answer of the resolver, and what it answered; all others say that it did not. */
const ANSWERS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'NXDOMAIN',
  ENODATA: 'NOERROR',
  ESERVFAIL: 'SERVFAIL',
  EREFUSED: 'REFUSED',
  ENOTIMP: 'NOTIMP',
  EFORMERR: 'FORMERR',
};

export interface ResolverAnswer {
  readonly server: string;
  /** Null when it did not answer. */
  readonly ms: number | null;
  /** The RCODE it answered (RFC 6895 2.3), or the code of c-ares when it did not. */
  readonly code: string;
}

export function judgeResolvers(answers: readonly ResolverAnswer[], isNamed: boolean): Judgement {
  const silent = answers.filter(({ ms }) => ms === null);
  const slowest = Math.max(0, ...answers.flatMap(({ ms }) => ms ?? []));
  const data = { resolvers: answers.length, silent: silent.length, slowestMs: Math.round(slowest) };
  const source = isNamed ? 'of DNS_SERVERS' : 'of this machine';
  const remedy = `${isNamed ? 'correct' : 'set'} DNS_SERVERS: resolvers that answer from here, as ip or ip:port, commas between`;
  const found = answers.map(({ server, ms, code }) =>
    ms === null ? `${server} does not answer (${code})` : `${server} answers ${code} in ${milliseconds(ms)}`,
  );
  if (answers.length === 0) return fail(`there is no resolver ${source}`, remedy, data);
  const detail = `${source}: ${found.join(', ')}`;
  if (silent.length === answers.length) {
    return fail(`${detail}; every domain is unknown and its tenant waits`, remedy, data);
  }
  return silent.length > 0 ? warn(detail, remedy, data) : ok(detail, data);
}

export async function checkResolver({ env }: Pick<Surroundings, 'env'>): Promise<Judgement> {
  const isNamed = Boolean(env.DNS_SERVERS);
  const servers = env.DNS_SERVERS?.split(',').map((server) => server.trim()) ?? [];
  return judgeResolvers(await Promise.all((isNamed ? servers : getServers()).map(ask)), isNamed);
}

/** The name servers of the root: a question that every resolver knows something to say to. */
async function ask(server: string): Promise<ResolverAnswer> {
  const resolver = new Resolver({ timeout: TRY_MS_MAX, tries: TRIES });
  const askedMs = performance.now();
  const code = await codeOf(resolver, server);
  const rcode = code === null ? 'NOERROR' : ANSWERS[code];
  return rcode === undefined
    ? { server, ms: null, code: code ?? '' }
    : { server, ms: performance.now() - askedMs, code: rcode };
}

/** Null when there was an answer with records. */
async function codeOf(resolver: Resolver, server: string): Promise<string | null> {
  try {
    resolver.setServers([server]);
    await resolver.resolveNs('.');
    return null;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code ?? error);
  }
}
