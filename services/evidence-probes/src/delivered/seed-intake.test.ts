import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { expect, test, vi } from 'vitest';
import { deliver, intakeWith, messageOf } from './delivered.test-support.ts';

/** One dialogue in plain SMTP, of which every reply is taken by its last line. */
class Dialogue implements AsyncDisposable {
  readonly socket: Socket;
  readonly #lines: AsyncIterator<string>;

  constructor({ port }: { readonly port: number }) {
    this.socket = connect(port, '127.0.0.1').on('error', () => undefined);
    this.#lines = createInterface({ input: this.socket })[Symbol.asyncIterator]();
  }

  async reply(): Promise<string> {
    for (;;) {
      const { value = '', done } = await this.#lines.next();
      if (done || !/^\d{3}-/.test(value)) return value;
    }
  }

  async say(line: string): Promise<string> {
    this.socket.write(`${line}\r\n`);
    return await this.reply();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
    if (!this.socket.closed) await once(this.socket, 'close');
  }
}

async function upToData(dialogue: Dialogue): Promise<void> {
  expect(await dialogue.reply()).toMatch(/^220/);
  expect(await dialogue.say('EHLO out.acme.test')).toMatch(/^250/);
  expect(await dialogue.say('MAIL FROM:<bounces@acme.test>')).toMatch(/^250/);
  expect(await dialogue.say('RCPT TO:<token1@seeds.test>')).toMatch(/^250/);
  expect(await dialogue.say('DATA')).toMatch(/^354/);
}

test('a message for a seed is handed over octet by octet with what was seen of its sender', async () => {
  await using intake = await intakeWith();
  const raw = await messageOf({ body: 'caf\u00e9\r\n.dot\r\n' });
  await deliver(intake, raw, { to: 'Token1@SEEDS.test' });
  expect(intake.received).toEqual([
    {
      raw: Buffer.from(raw),
      token: 'token1',
      clientIp: '127.0.0.1',
      helo: 'out.acme.test',
      mailFrom: 'bounces@acme.test',
    },
  ]);
});

test('a bounce has an empty sender', async () => {
  await using intake = await intakeWith();
  await deliver(intake, await messageOf(), { from: '' });
  expect(intake.received[0]?.mailFrom).toBe('');
});

test.each([
  ['a token that was not given out', 'token2@seeds.test'],
  ['another host, which would be relaying', 'token1@else.test'],
  ['a host below the seed host', 'token1@mail.seeds.test'],
])('%s is refused for good', async (_title, to) => {
  await using intake = await intakeWith();
  await expect(deliver(intake, await messageOf(), { to })).rejects.toMatchObject({ responseCode: 550 });
  expect(intake.received).toEqual([]);
});

test('a message that could not be kept is deferred, and the reply does not say why', async () => {
  await using intake = await intakeWith({
    onMessage: () => Promise.reject(new Error('the secret of the store')),
  });
  const failure = await deliver(intake, await messageOf()).catch((error: unknown) => error);
  expect(failure).toMatchObject({ responseCode: 451 });
  expect(JSON.stringify(failure)).not.toContain('secret');
});

test('seeds that cannot be looked up turn nobody away for good', async () => {
  await using intake = await intakeWith({ isSeed: () => Promise.reject(new Error('store is down')) });
  await expect(deliver(intake, await messageOf())).rejects.toMatchObject({ responseCode: 451 });
});

test('a sender hears 250 only after the message was kept', async () => {
  const kept = Promise.withResolvers<void>();
  const onMessage = vi.fn(() => kept.promise);
  await using intake = await intakeWith({ onMessage });
  let accepted = false;
  const delivery = deliver(intake, await messageOf()).then(() => {
    accepted = true;
  });
  await vi.waitUntil(() => onMessage.mock.calls.length > 0, { timeout: 60_000 });
  expect(accepted).toBe(false);
  kept.resolve();
  await delivery;
  expect(accepted).toBe(true);
});

test('a message over the size is refused for good and not handed over, announced or not', async () => {
  await using intake = await intakeWith({ messageOctetsMax: 2_000 });
  const raw = await messageOf({ body: 'x'.repeat(60).concat('\r\n').repeat(100) });
  await expect(deliver(intake, raw)).rejects.toMatchObject({ responseCode: 552 });
  await using dialogue = new Dialogue(intake);
  await upToData(dialogue);
  expect(await dialogue.say(`${raw}\r\n.`)).toMatch(/^552/);
  expect(intake.received).toEqual([]);
});

test('a second recipient in one transaction has to come in another one', async () => {
  await using intake = await intakeWith({ isSeed: () => true });
  await using dialogue = new Dialogue(intake);
  await dialogue.reply();
  await dialogue.say('EHLO out.acme.test');
  await dialogue.say('MAIL FROM:<bounces@acme.test>');
  expect(await dialogue.say('RCPT TO:<token1@seeds.test>')).toMatch(/^250/);
  expect(await dialogue.say('RCPT TO:<token2@seeds.test>')).toMatch(/^452/);
});

test('nobody can log in', async () => {
  await using intake = await intakeWith();
  await using dialogue = new Dialogue(intake);
  await dialogue.reply();
  await dialogue.say('EHLO out.acme.test');
  expect(await dialogue.say('AUTH PLAIN AGFuYQBhbmE=')).toMatch(/^5/);
});

test('a client over the number of connections is told to come back', async () => {
  await using intake = await intakeWith({ connectionsMax: 1 });
  await using first = new Dialogue(intake);
  expect(await first.reply()).toMatch(/^220/);
  await using second = new Dialogue(intake);
  expect(await second.reply()).toMatch(/^421/);
});

test('half a message is not a message', async () => {
  await using intake = await intakeWith();
  {
    await using dialogue = new Dialogue(intake);
    await upToData(dialogue);
    dialogue.socket.write('From: ana@acme.test\r\n\r\nhalf');
  }
  await deliver(intake, await messageOf());
  expect(intake.received).toHaveLength(1);
});

test('a client that keeps talking without end is hung up on', async () => {
  await using intake = await intakeWith({ connectionMsMax: 200 });
  await using dialogue = new Dialogue(intake);
  expect(await dialogue.reply()).toMatch(/^220/);
  const trickle = setInterval(() => dialogue.socket.write('NOOP\r\n'), 10);
  let reply = await dialogue.reply();
  while (reply.startsWith('250')) reply = await dialogue.reply();
  clearInterval(trickle);
  expect(reply).toMatch(/^421/);
});

test('binary garbage in place of SMTP leaves the intake as it was', async () => {
  await using intake = await intakeWith();
  {
    await using dialogue = new Dialogue(intake);
    await dialogue.reply();
    dialogue.socket.write(Buffer.alloc(50_000, '\u0000\u00ff\r\n'));
    expect(await dialogue.reply()).toMatch(/^[45]/);
  }
  await deliver(intake, await messageOf());
  expect(intake.received).toHaveLength(1);
});

test('an intake that cannot listen says so', async () => {
  await using intake = await intakeWith();
  await expect(intakeWith({ port: intake.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
});
