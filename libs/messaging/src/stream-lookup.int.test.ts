import { startTestBroker, type TestBroker } from '@orchestrate/test-kit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ReadRefused, readLastOfEach, readNext } from './stream-lookup.ts';

/** The server answers for so many subjects at once. */
const SUBJECTS_MAX = 1_024;

let server: TestBroker;
beforeAll(async () => {
  server = await startTestBroker();
});
afterAll(() => server[Symbol.asyncDispose]());

const textOf = ({ data }: { data: Uint8Array }) => Buffer.from(data).toString();

async function listEverybody(tenantId: string, count: number): Promise<void> {
  const { publisher } = server.broker;
  const written = Array.from({ length: count }, (_, n) =>
    publisher.publish(`suppression.0.${tenantId}.${n}`, Buffer.from(String(n))),
  );
  await Promise.all(written);
}

it('the newest of many subjects come with one answer, in stream order, and those that are not there do not', async () => {
  await listEverybody('few', 300);
  await server.broker.publisher.publish('suppression.0.few.7', Buffer.from('again'));
  const asked = ['suppression.0.few.7', 'suppression.0.few.9', 'suppression.0.few.none'];
  expect((await readLastOfEach(server.broker, 'SUPPRESSIONS', asked)).map(textOf)).toEqual(['9', 'again']);
  expect(await readLastOfEach(server.broker, 'SUPPRESSIONS', ['suppression.0.nobody.*'])).toEqual([]);
  expect(await readLastOfEach(server.broker, 'SUPPRESSIONS', ['suppression.0.few.*'])).toHaveLength(300);
});

it('what comes next of a subject comes up to a number, and nothing when nothing does', async () => {
  const { seq } = await server.broker.publisher.publish('suppression.0.next.0', Buffer.from('0'));
  await listEverybody('next-other', 5);
  await server.broker.publisher.publish('suppression.0.next.1', Buffer.from('1'));
  const next = (fromSeq: number, max: number) =>
    readNext(server.broker, 'SUPPRESSIONS', { filter: 'suppression.0.next.*', fromSeq, max });
  expect((await next(seq, 10)).map(textOf)).toEqual(['0', '1']);
  expect((await next(seq, 1)).map(textOf)).toEqual(['0']);
  expect((await next(seq + 1, 10)).map(textOf)).toEqual(['1']);
  expect(await next(seq + 7, 10)).toEqual([]);
});

it('a message that is empty is a message, and hides nothing that comes after it', async () => {
  for (const [n, text] of ['a', '', 'c'].entries()) {
    await server.broker.publisher.publish(`suppression.0.empty.${n}`, Buffer.from(text));
  }
  const found = await readLastOfEach(server.broker, 'SUPPRESSIONS', ['suppression.0.empty.*']);
  expect(found.map(textOf)).toEqual(['a', '', 'c']);
});

it('more subjects than the server answers for are refused by their number, not cut short', async () => {
  await listEverybody('many', SUBJECTS_MAX + 1);
  const asked = readLastOfEach(server.broker, 'SUPPRESSIONS', ['suppression.0.many.*']);
  await expect(asked).rejects.toSatisfy((error) => error instanceof ReadRefused && error.code === 413);
});

it('a stream that is not there is not waited for', async () => {
  const { broker } = server;
  await broker.jsm.streams.delete('SUPPRESSIONS');
  await expect(readLastOfEach(broker, 'SUPPRESSIONS', ['suppression.0.few.1'])).rejects.toThrow(
    /no responders/,
  );
});
