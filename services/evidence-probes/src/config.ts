import { isIP } from 'node:net';
import { wholeNumber } from '@orchestrate/service-kit';
import { z } from 'zod';
import { PROBE_WORDS } from './probe-words.ts';

const seconds = wholeNumber(1, 31_536_000);

const listed = (list: string) => list.split(',').map((one) => one.trim());

export const environment = {
  PROBES: z
    .string()
    .transform(listed)
    .pipe(z.array(z.enum(PROBE_WORDS)))
    .default([...PROBE_WORDS])
    .describe(`what is looked at, separated by commas: ${PROBE_WORDS.join(', ')}; without it all of them`),
  CREDENTIALS_DIR: z
    .string()
    .min(1)
    .optional()
    .describe(
      'folder with the secrets that probes need, as JSON files; without it only what needs none is looked at',
    ),
  WEBHOOK_HOST: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe('an address of this machine; where webhooks are taken'),
  WEBHOOK_PORT: wholeNumber(0, 65_535)
    .optional()
    .describe('the port where webhooks of Stripe are taken, 0 to 65535; without it none are'),
  SEED_HOST: z
    .string()
    .regex(/^[a-z0-9.-]{1,253}$/)
    .optional()
    .describe('the host of the addresses that tenants send proofs to; without it none are taken'),
  SEED_LISTEN: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe('an address of this machine; where mail for SEED_HOST is taken'),
  SEED_PORT: wholeNumber(0, 65_535)
    .default(0)
    .describe('the port where it is taken, 0 to 65535; 0 takes a free one'),
  DNS_SERVERS: z
    .string()
    .transform(listed)
    .refine((servers) => servers.every(isServer))
    .default([])
    .describe('recursive resolvers as ip or ip:port, separated by commas; without it those of this machine'),
  DNS_TIMEOUT_MS: wholeNumber(50, 60_000)
    .default(2_000)
    .describe('how long one try at one resolver may take, in ms'),
  DNS_TRIES: wholeNumber(1, 10).default(2).describe('how often each resolver is tried, 1 to 10'),
  DNS_INTERVAL_SEC: seconds
    .optional()
    .describe(
      'how often a healthy domain is looked at, in s; without it half of the age that the policy allows',
    ),
  DNS_RETRY_SEC: seconds
    .default(3_600)
    .describe('how often a domain is looked at while something fails, in s'),
  DNS_UNKNOWN_RETRY_SEC: seconds
    .default(60)
    .describe('how often a domain is looked at while something is unknown, in s'),
  HEARTBEAT_SEC: wholeNumber(1, 3_600)
    .default(30)
    .describe('how often each partition hears that its windows are watched, in s'),
} as const;

/** `ip`, `ipv4:port` or `[ipv6]:port`, as `dns.setServers` takes them. */
function isServer(server: string): boolean {
  const [, v6, v4, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(server) ?? [];
  if (port === undefined) return isIP(server) > 0;
  return (
    (v6 === undefined ? isIP(v4 ?? '') === 4 : isIP(v6) === 6) && Number(port) > 0 && Number(port) < 65_536
  );
}
