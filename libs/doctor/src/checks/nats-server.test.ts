import { expect, test } from 'vitest';
import { surroundings } from '../surroundings.test-support.ts';
import { checkNatsServer, isOlder, judgeNatsServer } from './nats-server.ts';

const judge = (binary: string | null, connected: string | null) =>
  judgeNatsServer({
    binary: binary === null ? null : { path: '/bin/nats-server', version: binary },
    problem: null,
    connected: connected === null ? null : { version: connected, address: '127.0.0.1:4222' },
  });

test.each([
  ['2.11.9', null, 'fail'],
  ['2.12.0', null, 'warn'],
  ['2.13.9', null, 'warn'],
  ['2.14.0', null, 'ok'],
  ['2.15.1', '2.12.4', 'warn'],
  ['2.15.1', '2.10.0', 'fail'],
  ['2.12.0', '2.15.1', 'warn'],
  [null, '2.15.1-beta.2', 'ok'],
  [null, null, 'fail'],
])('binary %s and server %s: %s', (binary, connected, status) => {
  expect(judge(binary, connected)).toMatchObject({ status });
});

test('versions are compared as numbers', () => {
  expect(isOlder('2.9.0', '2.12.0')).toBe(true);
  expect(isOlder('2.12.0', '2.9.0')).toBe(false);
  expect(isOlder('2.12.0', '2.12.0')).toBe(false);
  expect(isOlder('3.0.0', '2.12.0')).toBe(false);
});

test('a binary that was named and cannot be used fails with the reason', async () => {
  const judged = await checkNatsServer(surroundings({ env: { NATS_SERVER_BIN: '/nowhere' } }));
  expect(judged).toMatchObject({
    status: 'fail',
    detail: expect.stringContaining('NATS_SERVER_BIN names `/nowhere`'),
  });
});
