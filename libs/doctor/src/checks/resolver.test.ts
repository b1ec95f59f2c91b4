import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { startDnsServer } from '@orchestrate/sandbox';
import { expect, test } from 'vitest';
import { checkResolver, judgeResolvers } from './resolver.ts';

const answers = { server: '192.0.2.1', ms: 4, code: 'NOERROR' };
const silent = { server: '192.0.2.2', ms: null, code: 'ETIMEOUT' };

test.each([
  ['all answer', [answers, answers], 'ok'],
  ['one is silent', [answers, silent], 'warn'],
  ['none answers', [silent], 'fail'],
  ['there is none', [], 'fail'],
])('%s', (_, list, status) => {
  const judged = judgeResolvers(list, true);
  expect(judged).toMatchObject({ status });
  if (status !== 'ok') expect(judged.remedy).toContain('DNS_SERVERS');
});

test.each([
  ['refused', 'REFUSED'],
  ['servfail', 'SERVFAIL'],
] as const)('a resolver that answers %s has answered', async (behaviour, code) => {
  await using server = await startDnsServer({ behaviours: { '.': behaviour } });
  const judged = await checkResolver({ env: { DNS_SERVERS: server.address } });
  expect(judged).toMatchObject({ status: 'ok', data: { resolvers: 1, silent: 0 } });
  expect(judged.detail).toContain(`${server.address} answers ${code} in`);
  expect(server.queries).toBeGreaterThan(0);
});

test('a name that does not exist is an answer that came over the network', async () => {
  await using server = await startDnsServer({ zones: { '.': 'only 60 IN A 192.0.2.1' } });
  const judged = await checkResolver({ env: { DNS_SERVERS: ` ${server.address} ` } });
  expect(judged).toMatchObject({ status: 'ok' });
  expect(server.queries).toBeGreaterThan(0);
});

test('a resolver that says nothing is told from one that answers', async () => {
  const mute = createSocket('udp4').bind(0, '127.0.0.1');
  let asked = 0;
  mute.on('message', () => asked++);
  await once(mute, 'listening');
  const address = `127.0.0.1:${mute.address().port}`;
  await using server = await startDnsServer({ behaviours: { '.': 'refused' } });

  const alone = await checkResolver({ env: { DNS_SERVERS: address } });
  expect(alone).toMatchObject({
    status: 'fail',
    detail: expect.stringContaining(`${address} does not answer`),
  });
  const beside = await checkResolver({ env: { DNS_SERVERS: `${address},${server.address}` } });
  expect(beside).toMatchObject({ status: 'warn', data: { resolvers: 2, silent: 1 } });
  expect(asked).toBeGreaterThan(0);
  mute.close();
});

test('an address that is none is a resolver that does not answer', async () => {
  expect(await checkResolver({ env: { DNS_SERVERS: 'dns.example.org' } })).toMatchObject({
    status: 'fail',
    detail: expect.stringContaining('dns.example.org does not answer'),
  });
});
