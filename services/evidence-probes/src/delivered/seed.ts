import { parseArgs } from 'node:util';
import { partitionOf } from '@orchestrate/canon';
import { tenantConfigured } from '@orchestrate/contracts';
import { connectBroker, decodeLenient, readLast, referenceTo } from '@orchestrate/messaging';
import { baseEnvironment, createLog, parseEnvironment } from '@orchestrate/service-kit';
import { z } from 'zod';
import { environment } from '../config.ts';
import { Credentials } from '../credentials.ts';
import { resolveWith } from '../dns/resolve.ts';
import { createDnsResolver } from '../dns/resolver.ts';
import { EvidencePublisher } from '../publish-evidence.ts';
import { seedAccess, seedToken } from './seed-address.ts';
import { verifySeedFile } from './seed-file.ts';
import { tellProof } from './tell-proof.ts';

const USAGE = `usage:
  node seed.ts address <tenant> <domain>          where to send a message as proof of a domain
  node seed.ts verify <tenant> <domain> <file>    verify a message that arrived elsewhere, an .eml file, and publish it
      --client-ip <ip> --helo <name> --mail-from <address>    what the receiving server saw; without it SPF is unknown
environment: NATS_URL, CREDENTIALS_DIR, SEED_HOST, DNS_SERVERS`;

class Misuse extends Error {}

const VERIFY_MS_MAX = 30_000;

/** As the service itself reads them. */
const settings = () => parseEnvironment(z.object({ ...baseEnvironment, ...environment }), process.env);

async function address(tenantId: string, domainId: string): Promise<string> {
  const { SEED_HOST, CREDENTIALS_DIR } = settings();
  if (!SEED_HOST) throw new Misuse('SEED_HOST is not set');
  const access = await (await Credentials.in(CREDENTIALS_DIR ?? null)).read(['seeds'], seedAccess);
  if (!access) throw new Misuse('there is no seeds.json in CREDENTIALS_DIR');
  return `${seedToken(access.secret, tenantId, domainId)}@${SEED_HOST}`;
}

interface Seen {
  readonly 'client-ip'?: string;
  readonly helo?: string;
  readonly 'mail-from'?: string;
}

async function verify(tenantId: string, domainId: string, path: string, seen: Seen): Promise<string> {
  const { NATS_URL, DNS_SERVERS: servers, DNS_TIMEOUT_MS: timeoutMs, DNS_TRIES: tries } = settings();
  await using broker = await connectBroker({ url: NATS_URL, name: 'seed' });
  const subject = `config.${partitionOf(tenantId)}.${tenantId}.tenant`;
  const stored = await readLast(broker, 'CONFIG', subject);
  const domain =
    stored && decodeLenient(tenantConfigured, stored.data).domains.find(({ id }) => id === domainId);
  if (!stored || !domain) throw new Misuse(`tenant \`${tenantId}\` declares no domain \`${domainId}\``);
  const { 'client-ip': clientIp, helo = '', 'mail-from': mailFrom = '' } = seen;
  const origin = clientIp === undefined ? {} : { origin: { clientIp, helo, mailFrom } };
  const signal = AbortSignal.timeout(VERIFY_MS_MAX);
  const resolve = resolveWith(createDnsResolver({ servers, timeoutMs, tries }), { signal });
  const atMs = Date.now();
  const proof = await verifySeedFile({ path, domain: domain.name, resolve, signal, ...origin });
  if (proof.kind === 'refused') throw new Misuse(`${path} proves nothing of ${domain.name}: ${proof.reason}`);
  const log = createLog({ service: 'seed', instance: 'seed', level: 'warn' });
  const of = { tenantId, source: domainId, causedBy: referenceTo(stored), atMs };
  await tellProof(new EvidencePublisher(broker, log), of, proof);
  return JSON.stringify(proof.answers, null, 2);
}

try {
  const text = { type: 'string' } as const;
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h' }, 'client-ip': text, helo: text, 'mail-from': text },
  });
  const [command, tenantId, domainId, path] = positionals;
  if (values.help) console.log(USAGE);
  else if (command === 'address' && tenantId && domainId) console.log(await address(tenantId, domainId));
  else if (command === 'verify' && tenantId && domainId && path)
    console.log(await verify(tenantId, domainId, path, values));
  else throw new Misuse(USAGE);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = error instanceof Misuse ? 2 : 1;
}
