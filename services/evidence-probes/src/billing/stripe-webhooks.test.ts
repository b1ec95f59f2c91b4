import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { createLog } from '@orchestrate/service-kit';
import { Stripe } from 'stripe';
import { describe, expect, test } from 'vitest';
import { NOW_MS, NOW_SEC, SIGNING_SECRET, subscription } from './billing.test-support.ts';
import type { StripeHint, SubscriptionEvent } from './stripe-event.ts';
import { BODY_BYTES_MAX, type StripeWebhooksOptions, startStripeWebhooks } from './stripe-webhooks.ts';

async function start(change: Partial<StripeWebhooksOptions> = {}) {
  const subscriptions: SubscriptionEvent[] = [];
  const hints: StripeHint[] = [];
  const lines: string[] = [];
  const log = createLog(
    { service: 'evidence-probes', instance: 'evidence-probes-1', level: 'info' },
    { write: (line) => lines.push(line) },
  );
  const webhooks = await startStripeWebhooks({
    host: '127.0.0.1',
    port: 0,
    signingSecrets: [SIGNING_SECRET],
    onSubscription: async (event) => void subscriptions.push(event),
    onHint: async (hint) => void hints.push(hint),
    log,
    nowMs: () => NOW_MS,
    ...change,
  });
  return {
    subscriptions,
    hints,
    lines,
    port: webhooks.port,
    /** Those that are not zero. */
    counts: () => Object.fromEntries(Object.entries(webhooks.counts()).filter(([, count]) => count > 0)),
    [Symbol.asyncDispose]: () => webhooks[Symbol.asyncDispose](),
  };
}
type Started = Awaited<ReturnType<typeof start>>;

const eventOf = (type: string, object: object, id = 'evt_1') =>
  JSON.stringify({ id, object: 'event', type, created: NOW_SEC, data: { object } });
const UPDATED = eventOf('customer.subscription.updated', subscription({ customer: 'cus_1' }));

const signature = (payload: string, { secret = SIGNING_SECRET, timestamp = NOW_SEC } = {}) =>
  Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp });

async function post({ port }: Started, body: string, header: string | null = signature(body)) {
  const response = await fetch(`http://127.0.0.1:${port}/stripe/webhooks`, {
    method: 'POST',
    body,
    headers: header === null ? {} : { 'stripe-signature': header },
  });
  const said = await response.text();
  expect(said + JSON.stringify([...response.headers])).not.toContain(SIGNING_SECRET);
  return { status: response.status, said };
}

/** What comes back for these bytes on a connection that is left open. */
async function raw({ port }: Started, ...chunks: string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  for (const chunk of chunks) socket.write(chunk);
  return text(socket);
}

describe('a delivery that Stripe signed', () => {
  test('is handed on with its mark, and answered when it is taken in', async () => {
    const taken = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    await using webhooks = await start({
      onSubscription() {
        arrived.resolve();
        return taken.promise;
      },
    });
    let isAnswered = false;
    const answered = post(webhooks, UPDATED).then((reply) => {
      isAnswered = true;
      return reply;
    });
    await arrived.promise;
    // A later delivery goes all the way round before the first is answered.
    await post(webhooks, eventOf('charge.succeeded', {}));
    expect(isAnswered).toBe(false);
    taken.resolve();
    expect(await answered).toEqual({ status: 200, said: 'taken in\n' });
    expect(webhooks.counts()).toEqual({ subscription: 1, ignored: 1 });
  });

  test('a second time is handed on a second time, told apart by its id', async () => {
    await using webhooks = await start();
    for (let n = 0; n < 2; n++) await post(webhooks, UPDATED);
    expect(webhooks.subscriptions).toMatchObject([
      { eventId: 'evt_1', createdAtMs: NOW_MS, customer: 'cus_1', subscription: { id: 'sub_1' } },
      { eventId: 'evt_1' },
    ]);
  });

  test('of an invoice is a hint', async () => {
    await using webhooks = await start();
    expect(await post(webhooks, eventOf('invoice.paid', { customer: 'cus_1' }))).toMatchObject({
      status: 200,
    });
    expect(webhooks.hints).toEqual([{ customer: 'cus_1', eventId: 'evt_1', createdAtMs: NOW_MS }]);
    expect(webhooks.subscriptions).toEqual([]);
  });

  test.each(['garbage', '{"id":', '[]', '\u0000', '{"data":{"object":{"__proto__":7}}}'])(
    'and that is %j is counted, not crashed on',
    async (body) => {
      await using webhooks = await start();
      expect(await post(webhooks, body)).toEqual({ status: 200, said: 'not understood here\n' });
      expect(webhooks.counts()).toEqual({ not_understood: 1 });
      expect(await post(webhooks, UPDATED)).toMatchObject({ status: 200 });
    },
  );

  test('with the old secret is taken in while the secret is rolled, and no longer than that', async () => {
    const old = signature(UPDATED, { secret: 'whsec_old' });
    await using rolling = await start({ signingSecrets: [SIGNING_SECRET, 'whsec_old'] });
    expect(await post(rolling, UPDATED, old)).toMatchObject({ status: 200 });
    expect(await post(rolling, UPDATED)).toMatchObject({ status: 200 });
    await using rolled = await start();
    expect(await post(rolled, UPDATED, old)).toMatchObject({ status: 400 });
  });
});

test('an event that could not be taken in is asked for again, and the log says why', async () => {
  let failures = 1;
  await using webhooks = await start({
    async onSubscription() {
      if (failures-- > 0) throw new Error('the broker is away');
    },
  });
  expect(await post(webhooks, UPDATED)).toEqual({ status: 500, said: 'not taken in: send it again\n' });
  expect(webhooks.lines.join()).toContain('the broker is away');
  expect(webhooks.lines.join()).toContain('evt_1');
  expect(await post(webhooks, UPDATED)).toMatchObject({ status: 200 });
  expect(webhooks.counts()).toEqual({ failed: 1, subscription: 1 });
});

describe('what Stripe did not sign just now', () => {
  test.each<[string, string, string | null]>([
    ['unsigned', 'there is no stripe-signature header', null],
    ['forged', 'no signature fits', signature(UPDATED, { secret: 'whsec_forged' })],
    ['forged', 'no signature fits', signature('another body')],
    ['forged', 'no signature fits', 'INJECTED'],
    ['stale', 'more than 300 s old', signature(UPDATED, { timestamp: NOW_SEC - 301 })],
  ])('is %s and reaches nobody', async (outcome, words, header) => {
    await using webhooks = await start();
    const { status, said } = await post(webhooks, UPDATED, header);
    expect(status).toBe(400);
    expect(said).toContain(words);
    expect(said).not.toMatch(/evt_1|cus_1|INJECTED|whsec/);
    expect(webhooks.counts()).toEqual({ [outcome]: 1 });
    expect(webhooks.subscriptions).toEqual([]);
    expect(webhooks.lines).toEqual([]);
  });
});

describe('requests that are no deliveries', () => {
  test.each([
    [405, 'GET', '/stripe/webhooks'],
    [405, 'PUT', '/stripe/webhooks?x=1'],
    [404, 'POST', '/'],
    [404, 'POST', '/stripe/webhooks/more'],
  ])('get a %i for %s %s', async (status, method, path) => {
    await using webhooks = await start();
    const response = await fetch(`http://127.0.0.1:${webhooks.port}${path}`, { method });
    expect(response.status).toBe(status);
    expect(response.headers.get('allow')).toBe(status === 405 ? 'POST' : null);
    expect(webhooks.counts()).toEqual({});
  });

  test('a body that says it is too long is not read', async () => {
    await using webhooks = await start();
    const head = `POST /stripe/webhooks HTTP/1.1\r\nhost: x\r\ncontent-length: ${BODY_BYTES_MAX + 1}\r\n\r\n`;
    expect(await raw(webhooks, head)).toMatch(/^HTTP\/1\.1 413 /);
    expect(webhooks.counts()).toEqual({ too_large: 1 });
  });

  test('a body that does not end is read up to the bound', async () => {
    await using webhooks = await start();
    const head = 'POST /stripe/webhooks HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n';
    const bytes = BODY_BYTES_MAX + 1;
    const reply = await raw(webhooks, head, `${bytes.toString(16)}\r\n${'x'.repeat(bytes)}\r\n`);
    expect(reply).toMatch(/^HTTP\/1\.1 413 /);
  });

  test('a body of just the bound is read', async () => {
    await using webhooks = await start();
    expect(await post(webhooks, 'x'.repeat(BODY_BYTES_MAX))).toMatchObject({ status: 200 });
  });

  test.each([
    ['headers', 'POST /stripe/webhooks HTTP/1.1\r\nhost:'],
    ['body', 'POST /stripe/webhooks HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nx'],
    ['first line', ''],
  ])('whoever never finishes the %s is hung up on', async (_, bytes) => {
    await using webhooks = await start({ requestTimeoutMs: 100 });
    expect(await raw(webhooks, bytes)).not.toMatch(/ 200 /);
    expect(await post(webhooks, UPDATED)).toMatchObject({ status: 200 });
    expect(webhooks.counts()).toEqual({ subscription: 1 });
  });

  test('whoever hangs up in the middle leaves the others alone', async () => {
    await using webhooks = await start();
    const socket = connect(webhooks.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write('POST /stripe/webhooks HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nx');
    socket.resetAndDestroy();
    expect(await post(webhooks, UPDATED)).toMatchObject({ status: 200 });
    expect(webhooks.counts()).toEqual({ subscription: 1 });
  });
});

test.each([[[]], [['']], [[SIGNING_SECRET, ' \n']]])(
  'it does not start with a secret that is none, and does not tell the others: %#',
  async (signingSecrets) => {
    const error = await start({ signingSecrets }).then(
      () => null,
      (reason: Error) => reason,
    );
    expect(error?.message).toMatch(/signing secret/);
    expect(`${error?.message} ${error?.stack}`).not.toContain(SIGNING_SECRET);
  },
);
