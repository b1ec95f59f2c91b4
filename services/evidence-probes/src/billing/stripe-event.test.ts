import * as fc from 'fast-check';
import { Stripe } from 'stripe';
import { describe, expect, test } from 'vitest';
import { NOW_MS, NOW_SEC, SIGNING_SECRET, subscription } from './billing.test-support.ts';
import { openEnvelope, readEvent } from './stripe-event.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const BODY = JSON.stringify({ id: 'evt_1', name: 'Zoë \ufffd' });

function signed(body = BODY, { secret = SIGNING_SECRET, timestamp = NOW_SEC } = {}) {
  return Stripe.webhooks.generateTestHeaderString({ payload: body, secret, timestamp });
}
const opened = (body: Uint8Array, header: string | undefined, secrets = [SIGNING_SECRET]) =>
  openEnvelope(body, header, secrets, NOW_MS);

describe('an envelope', () => {
  test('that Stripe signed is opened', () => {
    expect(opened(bytes(BODY), signed())).toEqual({ text: BODY });
  });

  test.each(['old', 'new'])('signed with the %s secret is opened while a secret is rolled', (secret) => {
    expect(opened(bytes(BODY), signed(BODY, { secret }), ['new', 'old'])).toEqual({ text: BODY });
    const both = `${signed(BODY, { secret: 'other' })},${signed(BODY, { secret }).split(',')[1]}`;
    expect(opened(bytes(BODY), both, ['new', 'old'])).toEqual({ text: BODY });
  });

  test.each<[string, string, string | undefined]>([
    ['unsigned', 'without a signature', undefined],
    ['unsigned', 'with an empty one', ''],
    ['forged', 'with the signature of another secret', signed(BODY, { secret: 'whsec_other' })],
    ['forged', 'with the signature of another body', signed(`${BODY} `)],
    ['forged', 'with a signature of another scheme', signed().replace('v1=', 'v0=')],
    ['forged', 'with a signature that is cut', signed().slice(0, -1)],
    ['forged', 'with nothing in place of one', `t=${NOW_SEC},v1=`],
    ['forged', 'with a signature that names no value', `t=${NOW_SEC},v1`],
    ['forged', 'with a time that was moved', signed().replace(`t=${NOW_SEC}`, `t=${NOW_SEC + 1}`)],
    ['forged', 'without a time', signed().replace(/^t=\d+,/, '')],
    ['stale', 'signed 301 s ago', signed(BODY, { timestamp: NOW_SEC - 301 })],
  ])('is %s %s', (problem, _, header) => {
    expect(opened(bytes(BODY), header)).toEqual({ problem });
  });

  test('signed 300 s ago is still good', () => {
    expect(opened(bytes(BODY), signed(BODY, { timestamp: NOW_SEC - 300 }))).toEqual({ text: BODY });
  });

  test('is stale also by the older of two secrets', () => {
    const header = signed(BODY, { secret: 'old', timestamp: NOW_SEC - 301 });
    expect(opened(bytes(BODY), header, ['new', 'old'])).toEqual({ problem: 'stale' });
  });

  test('with bytes that decode to what was signed is not what was signed', () => {
    const [before, after] = BODY.split('\ufffd').map(bytes);
    expect(opened(Buffer.concat([before!, Uint8Array.of(0xff), after!]), signed())).toEqual({
      problem: 'not_text',
    });
    const marked = Buffer.concat([Uint8Array.of(0xef, 0xbb, 0xbf), bytes(BODY)]);
    expect(opened(marked, signed())).toEqual({ problem: 'forged' });
  });
});

/** The same bytes with one of them changed. */
const flipOf = (length: number) =>
  fc.record({ at: fc.nat(length - 1), by: fc.integer({ min: 1, max: 255 }) });
function flipped(from: Uint8Array, { at, by }: { at: number; by: number }): Uint8Array {
  const copy = Uint8Array.from(from);
  copy[at]! ^= by;
  return copy;
}

test('a body with one byte changed is never accepted, nor is such a header', async () => {
  const anything = fc.record({ body: fc.json(), secret: fc.stringMatching(/^whsec_[a-z0-9]{8}$/) });
  const cases = anything.chain(({ body, secret }) => {
    const header = signed(body, { secret });
    return fc.record({
      body: fc.constant(body),
      header: fc.constant(header),
      secret: fc.constant(secret),
      bodyFlip: flipOf(bytes(body).length),
      headerFlip: flipOf(header.length),
    });
  });
  await fc.assert(
    fc.property(cases, ({ body, header, secret, bodyFlip, headerFlip }) => {
      expect(openEnvelope(bytes(body), header, [secret], NOW_MS)).toEqual({ text: body });
      const otherBody = flipped(bytes(body), bodyFlip);
      expect(openEnvelope(otherBody, header, [secret], NOW_MS)).toHaveProperty('problem');
      const otherHeader = Buffer.from(flipped(bytes(header), headerFlip)).toString('latin1');
      expect(openEnvelope(bytes(body), otherHeader, [secret], NOW_MS)).toHaveProperty('problem');
    }),
    { numRuns: 500 },
  );
});

const event = (type: string, object: object, change: object = {}) =>
  JSON.stringify({ id: 'evt_1', object: 'event', type, created: NOW_SEC, data: { object }, ...change });
const mark = { eventId: 'evt_1', createdAtMs: NOW_MS };

describe('an event', () => {
  test.each(['created', 'updated', 'deleted', 'paused', 'resumed', 'trial_will_end'])(
    'customer.subscription.%s carries the subscription and the mark of the event',
    (what) => {
      const object = subscription({ customer: 'cus_1', default_payment_method: 'pm_1' });
      expect(readEvent(event(`customer.subscription.${what}`, object))).toEqual({
        kind: 'subscription',
        event: { customer: 'cus_1', subscription: object, ...mark },
      });
    },
  );

  test.each<[string, object, object?]>([
    ['invoice.paid', { object: 'invoice', customer: 'cus_1' }],
    ['invoice.payment_failed', { object: 'invoice', customer: { id: 'cus_1', object: 'customer' } }],
    ['payment_method.attached', { object: 'payment_method', customer: 'cus_1' }],
    ['customer.updated', { object: 'customer', id: 'cus_1' }],
    ['customer.source.expiring', { object: 'card', customer: 'cus_1' }],
  ])('%s is a hint to ask again', (type, object) => {
    expect(readEvent(event(type, object))).toEqual({ kind: 'hint', event: { customer: 'cus_1', ...mark } });
  });

  test('of a method that was detached says whose it was', () => {
    const object = { object: 'payment_method', customer: null };
    const data = { object, previous_attributes: { customer: 'cus_1' } };
    expect(readEvent(event('payment_method.detached', object, { data }))).toEqual({
      kind: 'hint',
      event: { customer: 'cus_1', ...mark },
    });
  });

  test.each<[string, object]>([
    ['charge.succeeded', { object: 'charge', customer: 'cus_1' }],
    ['payment_method.updated', { object: 'payment_method', customer: null }],
    ['customer.created', { object: 'customer', id: 'cus_1' }],
  ])('%s that says nothing of a known customer is ignored', (type, object) => {
    expect(readEvent(event(type, object))).toEqual({ kind: 'ignored' });
  });

  test.each([
    ['no JSON', 'subscription!'],
    ['null', 'null'],
    ['a list', '[]'],
    [
      'a thin event',
      JSON.stringify({ id: 'evt_1', object: 'v2.core.event', type: 'x', created: '2026-01-01' }),
    ],
    ['no id', event('customer.subscription.updated', subscription(), { id: undefined })],
    ['no time', event('customer.subscription.updated', subscription(), { created: 'now' })],
    ['no subscription', event('customer.subscription.updated', { object: 'invoice', customer: 'cus_1' })],
    ['a subscription of nobody', event('customer.subscription.updated', subscription({ customer: null }))],
  ])('with %s is not understood, and does no harm', (_, text) => {
    expect(readEvent(text)).toEqual({ kind: 'not_understood' });
  });

  test('of any JSON at all is read or not understood, and never crashes', async () => {
    const types = fc.constantFrom(
      'customer.subscription.updated',
      'invoice.paid',
      'payment_method.detached',
      'x',
    );
    const events = fc.record({
      id: fc.oneof(fc.string(), fc.jsonValue()),
      type: types,
      created: fc.oneof(fc.nat(), fc.jsonValue()),
      data: fc.oneof(
        fc.record({ object: fc.jsonValue(), previous_attributes: fc.jsonValue() }),
        fc.jsonValue(),
      ),
    });
    await fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          events.map((one) => JSON.stringify(one)),
        ),
        (text) => {
          expect(['subscription', 'hint', 'ignored', 'not_understood']).toContain(readEvent(text).kind);
        },
      ),
    );
  });
});
