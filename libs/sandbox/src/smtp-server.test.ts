import { expect, test } from 'vitest';
import { type SmtpServerOptions, startSmtpServer } from './index.ts';
import { Dialogue } from './smtp-dialogue.test-support.ts';

const MESSAGE = [
  'From: Ana <ana@acme.test>',
  'Message-ID: <1@acme.test>',
  'X-Folded: one',
  '\ttwo',
  'Received: first',
  'Received: second',
  '',
  'Hello,',
  '..a line that began with a dot',
  '.',
].join('\r\n');

async function sendTo(dialogue: Dialogue, recipient: string, from = 'ana@acme.test'): Promise<string> {
  expect(await dialogue.say(`MAIL FROM:<${from}>`)).toMatch(/^250/);
  const accepted = await dialogue.say(`RCPT TO:<${recipient}>`);
  if (!accepted.startsWith('250')) return accepted;
  expect(await dialogue.say('DATA')).toMatch(/^354/);
  return await dialogue.say(MESSAGE);
}

const start = (options?: SmtpServerOptions) => startSmtpServer(options);

test('a message arrives with its envelope, its headers unfolded and its dots unstuffed', async () => {
  await using server = await start();
  await using dialogue = await Dialogue.open(server);
  expect(await sendTo(dialogue, 'bo@else.test')).toMatch(/^250/);
  const [message] = await server.waitFor(1, 1000);
  expect(message).toMatchObject({ from: 'ana@acme.test', to: ['bo@else.test'], messageId: '<1@acme.test>' });
  expect(message?.headers.get('x-folded')).toBe('one\ttwo');
  expect(message?.headers.get('received')).toBe('first\nsecond');
  expect(message?.raw).toContain('\r\n.a line that began with a dot');
  expect(Buffer.from(message!.bytes).toString()).toBe(message?.raw);
});

test('a bounce has no sender', async () => {
  await using server = await start();
  await using dialogue = await Dialogue.open(server);
  await sendTo(dialogue, 'bo@else.test', '');
  expect(server.messages[0]?.from).toBe('');
});

test('a refused recipient hears exactly the reply that was chosen', async () => {
  await using server = await start({
    rejectRecipient: (address) => (address.startsWith('gone@') ? '550 5.1.1 no such user' : null),
  });
  await using dialogue = await Dialogue.open(server);
  expect(await sendTo(dialogue, 'gone@else.test')).toBe('550 5.1.1 no such user');
  expect(await dialogue.say('RSET')).toMatch(/^250/);
  expect(await sendTo(dialogue, 'here@else.test')).toMatch(/^250/);
  expect(server.messages).toHaveLength(1);
});

test('a message that onMessage throws at is deferred and does not count', async () => {
  await using server = await start({
    onMessage: () => {
      throw new Error('greylisted');
    },
  });
  await using dialogue = await Dialogue.open(server);
  expect(await sendTo(dialogue, 'bo@else.test')).toBe('451 greylisted');
  expect(server.messages).toHaveLength(0);
});

test('with a held back reply the message is here before its sender knows', async () => {
  await using server = await start({ dataDelayMs: 60_000 });
  await using dialogue = await Dialogue.open(server);
  let replied = false;
  const reply = sendTo(dialogue, 'bo@else.test').then(() => {
    replied = true;
  });
  await server.waitFor(1, 1000);
  expect(replied).toBe(false);
  await server.stop();
  await reply;
});

test('waiting for a message that does not come ends with the count so far', async () => {
  await using server = await start();
  await expect(server.waitFor(1, 50)).rejects.toThrow('waited 50 ms for 1 messages, got 0');
});
