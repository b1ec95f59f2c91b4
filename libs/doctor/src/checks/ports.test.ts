import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { runFile, surroundings } from '../surroundings.test-support.ts';
import { checkPorts, judgePorts, targetsOf } from './ports.ts';

const service = (name: string, healthPort: number | null) => ({
  name,
  instance: `${name}-1`,
  pid: 1,
  healthPort,
});

test('ports that cannot be had and ports that are silent are named', () => {
  expect(judgePorts([], new Map([['nats-server', null]]))).toMatchObject({
    status: 'ok',
    data: { asked: 1 },
  });
  expect(judgePorts(['UDP (EACCES)'], new Map())).toMatchObject({
    status: 'fail',
    detail: expect.stringContaining('UDP (EACCES)'),
  });
  const answers = new Map([
    ['nats-server', null],
    ['layer-runtime-1', 'ECONNREFUSED'],
  ]);
  expect(judgePorts([], answers)).toMatchObject({
    status: 'fail',
    detail: 'no answer from layer-runtime-1 (ECONNREFUSED)',
  });
});

test('a service that is not ready is not asked, and neither are those of another server', () => {
  const local = { kind: 'up', run: runFile({ services: [service('a', 7), service('b', null)] }) } as const;
  const here = surroundings({ local, address: '[::1]:4222' });
  expect([...targetsOf(here)]).toEqual([
    ['nats-server', { host: '::1', port: 4222 }],
    ['a-1', { host: '127.0.0.1', port: 7 }],
  ]);
  expect([...targetsOf({ ...here, isStoreHere: false }).keys()]).toEqual(['nats-server']);
});

test('a port that was closed is found silent', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const here = surroundings({ local: { kind: 'up', run: runFile({ services: [service('a', port)] }) } });
  expect(await checkPorts(here)).toMatchObject({ status: 'ok', data: { asked: 1 } });
  server.close();
  await once(server, 'close');
  expect(await checkPorts(here)).toMatchObject({ status: 'fail', data: { asked: 1, silent: 1 } });
});
