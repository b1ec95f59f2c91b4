import { startTestBroker, stored, type TestBroker } from '@orchestrate/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PublishConflict, PublishRefused, PublishUncertain } from './ack-publisher.ts';
import type { Broker } from './connect.ts';
import { FoldingPublisher, PublishAbandoned, storeUntilCertain } from './folding-publisher.ts';

let server: TestBroker;
let broker: Broker;
beforeAll(async () => {
  server = await startTestBroker();
  broker = server.broker;
});
afterAll(() => server[Symbol.asyncDispose]());

const bytes = (text: string | number) => Buffer.from(String(text));
const textsOn = async (subject: string, stream: 'LAYERS' | 'DECISIONS' = 'LAYERS') =>
  (await stored(broker, stream, subject)).map((message) => Buffer.from(message.data).toString());
const subjectOf = (name: string) => `layer.0.${name}.test.main`;
const forEver = () => false;

describe('AckPublisher', () => {
  it('says where a message was stored', async () => {
    const subject = subjectOf('stored');
    const { seq, duplicate } = await broker.publisher.publish(subject, bytes('a'));
    expect(duplicate).toBe(false);
    expect((await stored(broker, 'LAYERS', subject)).map((message) => message.seq)).toEqual([seq]);
  });

  it('does not overwrite what somebody else wrote meanwhile [T2]', async () => {
    const subject = subjectOf('contested');
    const { seq } = await broker.publisher.publish(subject, bytes('first'), { expect: { lastSeq: 0 } });
    await broker.publisher.publish(subject, bytes('second'), { expect: { lastSeq: seq } });
    const late = broker.publisher.publish(subject, bytes('third'), { expect: { lastSeq: seq } });
    await expect(late).rejects.toThrow(PublishConflict);
    expect(await textsOn(subject)).toEqual(['first', 'second']);
  });

  it('gives a second request for the same dispatch up instead of asking for ever', async () => {
    await broker.publisher.publish('dispatch.acme.d-1', bytes('once'));
    const again = broker.publisher.publish('dispatch.acme.d-1', bytes('twice'));
    await expect(again).rejects.toSatisfy((error) => error instanceof PublishRefused && error.code === 10077);
  });

  it('sends nothing any more of what it has given up', async () => {
    const { publisher } = await server.connect('closing');
    const subject = subjectOf('given-up');
    const given = publisher.publish(subject, bytes('x'));
    publisher.close();
    await expect(given).rejects.toThrow(PublishUncertain);
    await broker.publisher.publish(subject, bytes('later'));
    expect(await textsOn(subject)).toEqual(['later']);
  });

  it('does not wait for answers that a dead server cannot give', async () => {
    await server.nats.kill();
    const lost = broker.publisher.publish(subjectOf('lost'), bytes('x'), { timeoutMs: 1_000 });
    await expect(lost).rejects.toThrow(PublishUncertain);
    await server.nats.restart();
  });

  it('counts what became of each message, and what has no answer yet', async () => {
    const { publisher } = await server.connect('counting');
    const subject = subjectOf('counted');
    const { seq } = await publisher.publish(subject, bytes('stored'));
    await publisher.publish(subject, bytes('late'), { expect: { lastSeq: seq - 1 } }).catch(() => {});
    await publisher.publish('dispatch.acme.d-2', bytes('once'));
    await publisher.publish('dispatch.acme.d-2', bytes('twice')).catch(() => {});
    await publisher.publish('nobody.listens', bytes('x')).catch(() => {});
    const answers = { stored: 2, conflict: 1, refused: 1, uncertain: 1 };
    expect(publisher.status()).toEqual({ inFlight: 0, waiting: 0, answers });

    const many = Array.from({ length: 600 }, (_, n) =>
      publisher.publish(subjectOf(`counted-${n}`), bytes(n)),
    );
    expect(publisher.status()).toEqual({ inFlight: 512, waiting: 88, answers });
    await Promise.all(many);
    expect(publisher.status()).toEqual({ inFlight: 0, waiting: 0, answers: { ...answers, stored: 602 } });
  });

  it('leaves nobody waiting when it is closed, also those who had not been sent yet', async () => {
    const other = await server.connect('closing');
    const flying = Array.from({ length: 2_000 }, (_, n) =>
      other.publisher.publish(subjectOf(`closing-${n}`), bytes(n)).then(
        () => 'stored',
        (error) => error.constructor.name,
      ),
    );
    await other.close();
    expect(new Set(await Promise.all(flying)).has('PublishUncertain')).toBe(true);
  });
});

describe('storeUntilCertain', () => {
  it('stores exactly once what was asked for while the server was away', async () => {
    const subject = subjectOf('away');
    await server.nats.kill();
    const storing = storeUntilCertain(broker, 'LAYERS', { subject, data: bytes('x'), lastSeq: 0 }, forEver);
    await server.nats.restart();
    await storing;
    expect(await textsOn(subject)).toEqual(['x']);
  });

  it('stores each of hundreds in flight exactly once when the server is killed under them', async () => {
    const subjects = Array.from({ length: 600 }, (_, n) => subjectOf(`flying-${n}`));
    const storing = Promise.all(
      subjects.map((subject) =>
        storeUntilCertain(broker, 'LAYERS', { subject, data: bytes(subject), lastSeq: 0 }, forEver),
      ),
    );
    await server.killAndRestart();
    const answers = await storing;
    const messages = (await stored(broker, 'LAYERS', 'layer.0.*.*.*')).filter(({ subject }) =>
      subject.includes('flying-'),
    );
    expect(messages).toHaveLength(subjects.length);
    expect(new Set(messages.map(({ subject }) => subject))).toEqual(new Set(subjects));
    expect(new Set(answers.map(({ seq }) => seq))).toEqual(new Set(messages.map(({ seq }) => seq)));
  });

  it('tells a rival of the whole chain from its own earlier try', async () => {
    const fence = 'decision.0.acme.*';
    const write = (kind: string, data: string, lastSeq: number) =>
      storeUntilCertain(
        broker,
        'DECISIONS',
        { subject: `decision.0.acme.${kind}`, data: bytes(data), lastSeq, fence },
        forEver,
      );
    const { seq } = await write('APPROVE', 'one', 0);
    await expect(write('BLOCK', 'two', 0)).rejects.toThrow(PublishConflict);
    await write('BLOCK', 'two', seq);
    expect(await textsOn(fence, 'DECISIONS')).toEqual(['one', 'two']);
  });

  it('ends when its owner was closed', async () => {
    await server.nats.kill();
    let closed = false;
    const message = { subject: subjectOf('abandoned'), data: bytes('x'), lastSeq: 0 };
    const storing = storeUntilCertain(broker, 'LAYERS', message, () => closed);
    closed = true;
    const ended = expect(storing).rejects.toThrow(PublishAbandoned);
    await server.nats.restart();
    await ended;
  });
});

describe('FoldingPublisher', () => {
  it('writes only the newest of many states that came while one was in flight', async () => {
    const publisher = new FoldingPublisher(broker, 'LAYERS', (error) => expect.unreachable(error.message));
    const subject = subjectOf('noisy');
    for (let n = 1; n <= 1_000; n++) publisher.set(subject, () => bytes(n));
    await publisher.flushed();
    const written = await textsOn(subject);
    expect(written.at(-1)).toBe('1000');
    expect(written.length).toBeLessThan(10);
  });

  it('lets nobody wait for a state that is not durable, nor forgets one that was set while it waited', async () => {
    const publisher = new FoldingPublisher(broker, 'LAYERS', (error) => expect.unreachable(error.message));
    const subjects = Array.from({ length: 50 }, (_, n) => subjectOf(`barrier-${n}`));
    for (const subject of subjects) {
      publisher.set(subject, () => bytes('early'));
      publisher.set(subject, () => bytes('late'));
    }
    const flushed = publisher.flushed();
    publisher.set(subjects[0]!, () => bytes('afterwards'));
    await flushed;
    for (const subject of subjects) expect((await textsOn(subject)).at(-1)).toMatch(/late|afterwards/);
    await publisher.flushed();
    expect((await textsOn(subjects[0]!)).at(-1)).toBe('afterwards');
  });

  it('lets go at the first write of a rival, once, and writes nothing more anywhere [T2]', async () => {
    const losses: Error[] = [];
    const publisher = new FoldingPublisher(broker, 'LAYERS', (error) => losses.push(error));
    const [mine, other] = [subjectOf('mine'), subjectOf('other')];
    publisher.set(mine, () => bytes('mine'));
    publisher.set(other, () => bytes('other'));
    await publisher.flushed();
    await broker.publisher.publish(mine, bytes('rival'));
    publisher.set(mine, () => bytes('mine again'));
    await expect(publisher.flushed()).rejects.toThrow(PublishAbandoned);
    publisher.set(mine, () => bytes('and again'));
    publisher.set(other, () => bytes('other again'));
    await expect(publisher.flushed()).rejects.toThrow(PublishAbandoned);
    expect(losses).toEqual([expect.any(PublishConflict)]);
    expect(await textsOn(mine)).toEqual(['mine', 'rival']);
    expect(await textsOn(other)).toEqual(['other']);
  });

  it('writes nothing that waited to a subject that it forgot, waits for what flew, and begins anew after a purge', async () => {
    const publisher = new FoldingPublisher(broker, 'LAYERS', (error) => expect.unreachable(error.message));
    const [mine, other] = ['layer.0.leaver.test.main', 'layer.0.leaver-2.test.main'];
    publisher.set(mine, () => bytes('flies'));
    publisher.set(mine, () => bytes('waits'));
    publisher.set(other, () => bytes('flies'));
    publisher.set(other, () => bytes('waits'));
    publisher.forget('layer.0.leaver.');
    await publisher.flushed();
    expect(await textsOn(mine)).toEqual(['flies']);
    expect(await textsOn(other)).toEqual(['flies', 'waits']);
    await broker.jsm.streams.purge('LAYERS', { filter: 'layer.0.*.test.main' });
    expect([publisher.lastSeq(mine), publisher.lastSeq(other) > 0]).toEqual([0, true]);
    publisher.set(mine, () => bytes('anew'));
    await publisher.flushed();
    expect(await textsOn(mine)).toEqual(['anew']);
  });

  it('does not take its own write, whose answer was lost with the server, for a rival', async () => {
    const publisher = new FoldingPublisher(broker, 'LAYERS', (error) => expect.unreachable(error.message));
    const subjects = Array.from({ length: 300 }, (_, n) => subjectOf(`folded-${n}`));
    for (const subject of subjects) publisher.set(subject, () => bytes('a'));
    const restarted = server.killAndRestart();
    for (const subject of subjects) publisher.set(subject, () => bytes('b'));
    await restarted;
    await publisher.flushed();
    for (const subject of subjects) expect((await textsOn(subject)).at(-1)).toBe('b');
  });
});
