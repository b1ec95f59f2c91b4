import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { startSmtpServer } from '@orchestrate/sandbox';
import { expect, test } from 'vitest';
import { runFile } from '../surroundings.test-support.ts';
import { checkMail, judgeGreeting, targetOf } from './mail.ts';

const none = { kind: 'none' } as const;

test.each([
  ['220 mail.test ESMTP', 'ok'],
  ['220-mail.test', 'ok'],
  ['220', 'ok'],
  ['2200 mail.test', 'fail'],
  ['554 no mail here', 'fail'],
  ['HTTP/1.1 400 Bad Request', 'fail'],
])('a greeting of `%s` is %s', (greeting, status) => {
  expect(judgeGreeting('mail.test:25', greeting, 3)).toMatchObject({ status });
});

test.each([
  ['smtp://mail.test', { host: 'mail.test', port: 587, isTls: false }],
  ['smtps://user:hunter2@mail.test', { host: 'mail.test', port: 465, isTls: true }],
  ['smtp://[::1]:2525', { host: '::1', port: 2525, isTls: false }],
  ['https://mail.test', null],
  ['mail.test:25', null],
])('%s is read', (url, target) => {
  expect(targetOf(url)).toEqual(target);
});

test('without SMTP_URL it is said what that means, also when a sender runs with its own', async () => {
  const alone = await checkMail({ env: {}, local: none });
  expect(alone).toMatchObject({ status: 'skipped', detail: expect.stringContaining('no sender is started') });
  const sender = { name: 'reference-sender', instance: 'reference-sender-1', pid: 1, healthPort: 1 };
  const running = await checkMail({ env: {}, local: { kind: 'up', run: runFile({ services: [sender] }) } });
  expect(running).toMatchObject({
    status: 'skipped',
    detail: expect.stringContaining('reference-sender runs'),
  });
});

test('a mail server that greets is ok, and one that is gone fails', async () => {
  const server = await startSmtpServer();
  expect(await checkMail({ env: { SMTP_URL: server.url }, local: none })).toMatchObject({
    status: 'ok',
    data: { greeting: expect.stringMatching(/^220 /) },
  });
  await server.stop();
  const gone = await checkMail({ env: { SMTP_URL: server.url }, local: none });
  expect(gone).toMatchObject({ status: 'fail', detail: expect.stringContaining('ECONNREFUSED') });
});

async function scripted(onConnection: Parameters<Server['on']>[1]): Promise<{ server: Server; url: string }> {
  const server = createServer(onConnection).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, url: `smtp://user:hunter2@127.0.0.1:${(server.address() as AddressInfo).port}` };
}

test('a server that connects and stays silent, or hangs up, does not greet; the password is never told', async () => {
  const silent = await scripted(() => {});
  const hangsUp = await scripted((socket) => socket.end());
  const judged = await Promise.all(
    [silent, hangsUp].map(({ url }) => checkMail({ env: { SMTP_URL: url }, local: none })),
  );
  expect(judged).toMatchObject([
    { status: 'fail', detail: expect.stringContaining('no answer within 3 s') },
    { status: 'fail', detail: expect.stringContaining('it hung up') },
  ]);
  expect(JSON.stringify(judged)).not.toContain('hunter2');
  silent.server.close();
  hangsUp.server.close();
});
