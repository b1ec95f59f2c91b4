import { startSmtpServer } from '@orchestrate/sandbox';
import { describe, expect, test } from 'vitest';
import type { OutgoingMessage } from './compose-message.ts';
import { createDelivery, type Delivered, type DeliveryOptions } from './deliver.ts';
import { type Fault, type Moment, startScriptedSmtp } from './scripted-smtp.test-support.ts';

const QUICK: DeliveryOptions = { connections: 2, connectMsMax: 300, silenceMsMax: 300, deliveryMsMax: 900 };

function message(id = 'd-1'): OutgoingMessage {
  return {
    envelope: { from: 'sales@acme.test', to: ['jo@example.org'] },
    from: { name: 'Sales, Acme', address: 'sales@acme.test' },
    to: { name: '', address: 'jo@example.org' },
    subject: 'Grüße',
    text: `Hello\n\n.\n${'a long line '.repeat(200)}\n`,
    messageId: `<${id}@acme.test>`,
    date: new Date(0),
    headers: { 'X-Orchestrate-Decision': '7' },
  };
}

async function deliverOnce(url: string): Promise<Delivered> {
  const delivery = createDelivery(url, QUICK);
  try {
    return await delivery.deliver(message());
  } finally {
    delivery.close();
  }
}

const refused = (smtpCode: number) => ({ state: 'not_sent', reason: 'refused_by_server', smtpCode });
const UNAVAILABLE = { state: 'not_sent', reason: 'server_unavailable', smtpCode: null };
const LOST = { state: 'unknown', reason: 'connection_lost_in_data', smtpCode: null };

test('what the server takes is sent, to the one recipient of its envelope', async () => {
  await using server = await startSmtpServer();
  expect(await deliverOnce(server.url)).toEqual({
    state: 'sent',
    reason: 'accepted_by_server',
    smtpCode: 250,
  });
  expect(server.messages).toHaveLength(1);
  const [received] = server.messages;
  expect(received).toMatchObject({
    from: 'sales@acme.test',
    to: ['jo@example.org'],
    messageId: '<d-1@acme.test>',
  });
  expect(received?.headers.get('x-orchestrate-decision')).toBe('7');
});

test('a recipient that the server does not know is not sent to', async () => {
  await using server = await startSmtpServer({ rejectRecipient: () => '550 5.1.1 no such user' });
  expect(await deliverOnce(server.url)).toEqual(refused(550));
});

test('a server that takes the message and answers too late leaves it unknown', async () => {
  await using server = await startSmtpServer({ dataDelayMs: 2_000 });
  expect(await deliverOnce(server.url)).toEqual(LOST);
  expect(server.messages).toHaveLength(1);
});

test('without a server nothing is sent', async () => {
  const server = await startSmtpServer();
  await server.stop();
  expect(await deliverOnce(server.url)).toEqual(UNAVAILABLE);
});

describe.each([[[]], [['250-PIPELINING']]])('a server with extensions %j', (extensions) => {
  test.each<[Moment, Fault, Delivered | object]>([
    ['greeting', 'drop', UNAVAILABLE],
    ['greeting', 'silence', UNAVAILABLE],
    ['greeting', '554 not you', refused(554)],
    ['EHLO', 'drop', UNAVAILABLE],
    ['MAIL', 'drop', UNAVAILABLE],
    ['MAIL', 'silence', UNAVAILABLE],
    ['MAIL', '421 too busy', refused(421)],
    ['RCPT', '452 mailbox full', refused(452)],
    ['RCPT', 'drop', UNAVAILABLE],
    ['RCPT', 'trickle', UNAVAILABLE],
    ['DATA', '451 not now', refused(451)],
    ['DATA', 'drop', UNAVAILABLE],
    ['DATA', 'silence', UNAVAILABLE],
    ['in message', 'drop', LOST],
    ['in message', 'silence', LOST],
    ['after message', 'drop', LOST],
    ['after message', 'silence', LOST],
    ['after message', 'trickle', LOST],
    ['after message', '554 looks like spam', refused(554)],
    ['after message', '421 closing', refused(421)],
  ])('that at `%s` does `%s`', async (moment, fault, expected) => {
    await using server = await startScriptedSmtp(moment, fault, { extensions });
    expect(await deliverOnce(server.url)).toEqual(expected);
    expect(server.messagesBegun).toBe(moment.endsWith('message') ? 1 : 0);
  });
});

test('a login that fails sends nothing', async () => {
  await using server = await startScriptedSmtp('AUTH', '535 no', { extensions: ['250-AUTH PLAIN LOGIN'] });
  expect(await deliverOnce(server.url.replace('//', '//user:wrong@'))).toEqual(refused(535));
});

test('a kept connection that the server dropped meanwhile costs no message', async () => {
  await using server = await startScriptedSmtp(null, 'drop');
  const delivery = createDelivery(server.url, QUICK);
  expect(await delivery.deliver(message('d-1'))).toMatchObject({ state: 'sent' });
  server.dropConnections();
  expect(await delivery.deliver(message('d-2'))).toMatchObject({ state: 'sent' });
  expect(server.messagesBegun).toBe(2);
  delivery.close();
});

test('a kept connection that breaks within a message does not send it over another one', async () => {
  await using server = await startScriptedSmtp('in message', 'drop', { fromMessage: 2 });
  const delivery = createDelivery(server.url, QUICK);
  expect(await delivery.deliver(message('d-1'))).toMatchObject({ state: 'sent' });
  expect(await delivery.deliver(message('d-2'))).toEqual(LOST);
  expect(server.messagesBegun).toBe(2);
  delivery.close();
});

test('many at a time share the connections, and each is sent once', async () => {
  await using server = await startSmtpServer();
  const delivery = createDelivery(server.url, { ...QUICK, deliveryMsMax: 10_000 });
  const all = Array.from({ length: 30 }, (_, n) => delivery.deliver(message(`d-${n}`)));
  expect((await Promise.all(all)).every(({ state }) => state === 'sent')).toBe(true);
  expect(new Set(server.messages.map(({ messageId }) => messageId)).size).toBe(30);
  expect(server.messages).toHaveLength(30);
  delivery.close();
});
