import { parseEnvironment } from '@orchestrate/service-kit';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { environment } from './config.ts';

const parse = (variables: NodeJS.ProcessEnv) => parseEnvironment(z.object(environment), variables);

test('without variables the resolvers of this machine are asked', () => {
  expect(parse({})).toEqual({
    PROBES: ['dns', 'window', 'mailbox', 'provider', 'billing'],
    WEBHOOK_HOST: '127.0.0.1',
    SEED_LISTEN: '127.0.0.1',
    SEED_PORT: 0,
    DNS_SERVERS: [],
    DNS_TIMEOUT_MS: 2_000,
    DNS_TRIES: 2,
    DNS_RETRY_SEC: 3_600,
    DNS_UNKNOWN_RETRY_SEC: 60,
    HEARTBEAT_SEC: 30,
  });
});

test('resolvers are addresses, with a port or without', () => {
  const servers = ['192.0.2.1', '192.0.2.1:5353', '2001:db8::1', '[2001:db8::1]:53'];
  expect(parse({ DNS_SERVERS: servers.join(' , ') }).DNS_SERVERS).toEqual(servers);
});

test.each(['dns.example.org', '192.0.2.1:', '192.0.2.1:70000', '192.0.2.1,,192.0.2.2', '[192.0.2.1]:53'])(
  '`%s` names no resolver',
  (servers) => {
    expect(() => parse({ DNS_SERVERS: servers })).toThrow(/DNS_SERVERS.* ip or ip:port/);
  },
);
