import { createSocket } from 'node:dgram';
import { decode, encode, type Packet, TRUNCATED_RESPONSE } from 'dns-packet';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Reply, resolverFor, resolverOf, startRawServer } from './dns.test-support.ts';
import { readReply, writeQuery } from './query-message.ts';
import { readAnswer } from './read-answer.ts';

const NO_ANSWER = { kind: 'no_answer', reason: 'no_answer' };
const TIMEOUT = { kind: 'no_answer', reason: 'timeout' };
const TRUTH = { kind: 'records', records: ['truth'], ttlSec: 60 };

function answerTo(query: Buffer, change: Packet = {}): Buffer {
  const { id = 0, questions = [] } = decode(query);
  const data = 'truth';
  const answers: Packet['answers'] = [{ type: 'TXT', name: questions[0]!.name, ttl: 60, class: 'IN', data }];
  return encode({ type: 'response', id, questions, answers, ...change });
}

const lie = (query: Buffer, change: Packet = {}) =>
  answerTo(query, {
    answers: [{ type: 'TXT', name: 'acme.test', ttl: 60, class: 'IN', data: 'lie' }],
    ...change,
  });

async function askRaw(udp: (query: Buffer, reply: Reply) => void, timeoutMs?: number) {
  await using server = await startRawServer({ udp });
  return await resolverFor(server, timeoutMs).ask('acme.test', 'TXT');
}

describe('an answer that does not belong to the query is passed over, and the true one still counts', () => {
  test.each<[string, (query: Buffer, reply: Reply) => void]>([
    ['a wrong id', (query, { send }) => send(lie(query, { id: (query.readUInt16BE(0) + 1) % 65_536 }))],
    [
      'another name',
      (query, { send }) => send(lie(query, { questions: [{ type: 'TXT', name: 'evil.test' }] })),
    ],
    [
      'another type',
      (query, { send }) => send(lie(query, { questions: [{ type: 'A', name: 'acme.test' }] })),
    ],
    [
      'another class',
      (query, { send }) => send(lie(query, { questions: [{ type: 'TXT', name: 'acme.test', class: 'CH' }] })),
    ],
    ['no question', (query, { send }) => send(lie(query, { questions: [] }))],
    [
      'two questions',
      (query, { send }) => {
        const question = { type: 'TXT', name: 'acme.test' } as const;
        send(lie(query, { questions: [question, question] }));
      },
    ],
    ['a query in place of an answer', (query, { send }) => send(lie(query, { type: 'query' }))],
    ['another opcode', (query, { send }) => send(lie(query, { flags: 0x2800 }))],
    ['eleven octets', (query, { send }) => send(query.subarray(0, 11))],
    ['nothing', (_, { send }) => send(Buffer.alloc(0))],
    ['another port', (query, { sendFromElsewhere }) => sendFromElsewhere(lie(query))],
  ])('%s', async (_, forge) => {
    const answer = await askRaw((query, reply) => {
      forge(query, reply);
      // long enough for what was sent from elsewhere to arrive first
      setTimeout(() => reply.send(answerTo(query)), 20);
    });
    expect(answer).toEqual(TRUTH);
  });

  test('alone it is a timeout, never an answer', async () => {
    const answer = await askRaw((query, { send }) => send(lie(query, { questions: [] })), 100);
    expect(answer).toEqual(TIMEOUT);
  });

  test('the case of the name may differ', async () => {
    const answer = await askRaw((query, { send }) =>
      send(answerTo(query, { questions: [{ type: 'TXT', name: 'ACME.test' }] })),
    );
    expect(answer).toEqual(TRUTH);
  });

  test('a flood of strays ends the try at once', async () => {
    const answer = await askRaw((query, { send }) => {
      for (let n = 0; n < 1_000; n++) send(lie(query, { questions: [] }));
    });
    expect(answer).toEqual(NO_ANSWER);
  });
});

test('a resolver may have an address of IPv6', async () => {
  const socket = createSocket('udp6');
  socket.on('message', (query, { port, address }) => socket.send(answerTo(query), port, address));
  await using _ = socket;
  const isThere = await new Promise<boolean>((resolve) => {
    socket.once('error', () => resolve(false));
    socket.bind(0, '::1', () => resolve(true));
  });
  if (!isThere) return console.warn('skipped: this machine has no IPv6 on loopback');
  const address = `[0:0::1]:${socket.address().port}`;
  expect(await resolverFor({ address }).ask('acme.test', 'TXT')).toEqual(TRUTH);
});

/** An answer whose first record is written by hand. */
function withRecord(query: Buffer, record: Buffer, count = 1): Buffer {
  const head = answerTo(query, { answers: [] });
  head.writeUInt16BE(count, 6);
  return Buffer.concat([head, ...Array.from({ length: count }, () => record)]);
}

const QUESTION_AT = Buffer.from([0xc0, 12]);
const TXT_IN_60 = Buffer.from([0, 16, 0, 1, 0, 0, 0, 60]);

describe('an answer that cannot be read is no answer', () => {
  test.each<[string, (query: Buffer) => Buffer]>([
    [
      'a name that points at itself',
      (query) => withRecord(query, Buffer.from([0xc0, answerTo(query, { answers: [] }).length])),
    ],
    ['a name that points ahead', (query) => withRecord(query, Buffer.from([0xff, 0xff, 0, 0]))],
    ['a label of a reserved kind', (query) => withRecord(query, Buffer.from([0x80, 1, 0]))],
    ['records that are promised and missing', (query) => withRecord(query, Buffer.alloc(0))],
    ['half a record', (query) => answerTo(query).subarray(0, -3)],
    [
      'a string longer than its record',
      (query) => withRecord(query, Buffer.concat([QUESTION_AT, TXT_IN_60, Buffer.from([0, 2, 9, 65])])),
    ],
    [
      'a record longer than the message',
      (query) => withRecord(query, Buffer.concat([QUESTION_AT, TXT_IN_60, Buffer.from([0, 9, 1, 65])])),
    ],
    [
      'more records than anybody needs',
      (query) =>
        withRecord(query, Buffer.concat([QUESTION_AT, TXT_IN_60, Buffer.from([0, 2, 1, 65])]), 1_001),
    ],
  ])('%s', async (_, forge) => {
    expect(await askRaw((query, { send }) => send(forge(query)))).toEqual(NO_ANSWER);
  });

  test('a long chain of compressed names, pointed at from every record, is bounded work', () => {
    const query = writeQuery({ name: 'acme.test', type: 'TXT' }, 7);
    const head = answerTo(query.bytes, { answers: [] });
    head.writeUInt16BE(1_000, 6);
    const chainAt = head.length + 12;
    const links = Math.floor((0x3fff - chainAt) / 2);
    const chain = Buffer.alloc(2 * links);
    for (let n = 0; n < links; n++)
      chain.writeUInt16BE(0xc000 + (n === 0 ? 12 : chainAt + 2 * (n - 1)), 2 * n);
    const inNull = Buffer.concat([QUESTION_AT, Buffer.from([0, 10, 0, 1, 0, 0, 0, 60]), Buffer.alloc(2)]);
    inNull.writeUInt16BE(chain.length, 10);
    const record = Buffer.concat([chain.subarray(-2), TXT_IN_60, Buffer.from([0, 2, 1, 65])]);
    record.writeUInt16BE(0xc000 + chainAt + 2 * (links - 1), 0);
    const message = Buffer.concat([head, inNull, chain, ...Array.from({ length: 999 }, () => record)]);
    const reading = readReply(message, query);
    expect(reading.kind).toBe('response');
  });
});

describe('a truncated answer', () => {
  const truncated = (query: Buffer, reply: Reply) =>
    reply.send(answerTo(query, { answers: [], flags: TRUNCATED_RESPONSE }));
  const inFrame = (message: Buffer) =>
    Buffer.concat([Buffer.from([message.length >> 8, message.length & 0xff]), message]);

  test('may break off anywhere, and is fetched over TCP in as many pieces as it takes', async () => {
    await using server = await startRawServer({
      udp: (query, { send }) => send(answerTo(query, { flags: TRUNCATED_RESPONSE }).subarray(0, -4)),
      tcp: (socket) =>
        socket.once('data', async (frame: Buffer) => {
          socket.setNoDelay();
          for (const octet of inFrame(answerTo(frame.subarray(2)))) {
            await new Promise((sent) => socket.write(Buffer.from([octet]), sent));
          }
        }),
    });
    expect(await resolverFor(server).ask('acme.test', 'TXT')).toEqual(TRUTH);
  });

  test('with a TCP side that hangs is a timeout', async () => {
    await using server = await startRawServer({ udp: truncated });
    expect(await resolverFor(server, 200).ask('acme.test', 'TXT')).toEqual(TIMEOUT);
  });

  test('with a TCP side that stops in the middle is a timeout', async () => {
    await using server = await startRawServer({
      udp: truncated,
      tcp: (socket) =>
        socket.once('data', (frame: Buffer) =>
          socket.write(inFrame(answerTo(frame.subarray(2))).subarray(0, 9)),
        ),
    });
    expect(await resolverFor(server, 200).ask('acme.test', 'TXT')).toEqual(TIMEOUT);
  });

  test.each<[string, (query: Buffer) => Buffer]>([
    ['hangs up', () => Buffer.alloc(0)],
    ['hangs up after a length', () => Buffer.from([0, 200])],
    ['sends an empty message', () => Buffer.from([0, 0])],
    ['is truncated as well', (query) => inFrame(answerTo(query, { flags: TRUNCATED_RESPONSE }))],
    [
      'answers another question',
      (query) => inFrame(lie(query, { questions: [{ type: 'TXT', name: 'evil.test' }] })),
    ],
    ['sends noise without an end', () => Buffer.alloc(1_000_000, 0xff)],
  ])('with a TCP side that %s is no answer', async (_, speak) => {
    await using server = await startRawServer({
      udp: truncated,
      tcp: (socket) => socket.once('data', (frame: Buffer) => socket.end(speak(frame.subarray(2)))),
    });
    expect(await resolverFor(server).ask('acme.test', 'TXT')).toEqual(NO_ANSWER);
  });

  test('that is repaired at the next try counts', async () => {
    let tries = 0;
    await using server = await startRawServer({
      udp: truncated,
      tcp: (socket) =>
        socket.once('data', (frame: Buffer) => {
          tries += 1;
          if (tries === 1) socket.destroy();
          else socket.write(inFrame(answerTo(frame.subarray(2))));
        }),
    });
    expect(await resolverOf([server], { tries: 2 }).ask('acme.test', 'TXT')).toEqual(TRUTH);
  });
});

describe('codes', () => {
  const reply = (change: Packet) => {
    const query = writeQuery({ name: 'acme.test', type: 'TXT' }, 7);
    const reading = readReply(answerTo(query.bytes, { answers: [], ...change }), query);
    if (reading.kind !== 'response') throw new Error(reading.kind);
    return readAnswer(reading.packet, query.question);
  };
  const NS = { type: 'NS', name: 'test', ttl: 60, data: 'ns.test' } as const;

  test('only two are an authoritative no, and one never heard of is no answer', () => {
    const codes = Array.from({ length: 16 }, (_, code) => code);
    expect(codes.filter((flags) => reply({ flags }).kind === 'absent')).toEqual([0, 3]);
    expect(reply({ flags: 2 })).toEqual({ kind: 'no_answer', reason: 'servfail' });
    expect(reply({ flags: 5 })).toEqual({ kind: 'no_answer', reason: 'refused' });
    for (const flags of [1, 4, 6, 9, 15]) expect(reply({ flags })).toEqual(NO_ANSWER);
  });

  test('one that EDNS extends is not taken for its lower half', () => {
    const additionals: Packet['additionals'] = [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize: 1232,
        extendedRcode: 1,
        ednsVersion: 0,
        flags: 0,
        flag_do: false,
        options: [],
      },
    ];
    expect(reply({ additionals })).toEqual(NO_ANSWER);
  });

  test('a referral says nothing about the name', () => {
    expect(reply({ authorities: [NS] })).toEqual(NO_ANSWER);
  });

  test('a no without an SOA record may not be kept', () => {
    expect(reply({ flags: 3 })).toEqual({ kind: 'absent', how: 'nxdomain', ttlSec: 0 });
    expect(reply({})).toEqual({ kind: 'absent', how: 'nodata', ttlSec: 0 });
  });

  test('a name that does not exist and has records is no answer', () => {
    const answers: Packet['answers'] = [{ type: 'TXT', name: 'acme.test', ttl: 60, data: 'x' }];
    expect(reply({ flags: 3, answers })).toEqual(NO_ANSWER);
  });

  test('records of other names, types and classes do not count', () => {
    const answers: Packet['answers'] = [
      { type: 'TXT', name: 'evil.test', ttl: 60, data: 'x' },
      { type: 'A', name: 'acme.test', ttl: 60, data: '192.0.2.1' },
      { type: 'TXT', name: 'acme.test', ttl: 60, class: 'CH', data: 'x' },
    ];
    expect(reply({ answers })).toMatchObject({ kind: 'absent' });
  });

  test('a TTL with the highest bit set counts as none', () => {
    const answers: Packet['answers'] = [{ type: 'TXT', name: 'acme.test', ttl: 0x8000_0000, data: 'x' }];
    expect(reply({ answers })).toMatchObject({ kind: 'records', ttlSec: 0 });
  });
});

describe('whatever octets come', () => {
  const query = writeQuery({ name: 'acme.test', type: 'TXT' }, 7);
  const sound = answerTo(query.bytes);

  test('a message is read or refused, and never throws', async () => {
    await fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (octets) => {
        const message = Buffer.concat([query.bytes.subarray(0, 2), Buffer.from(octets)]);
        const reading = readReply(message, query);
        if (reading.kind === 'response') readAnswer(reading.packet, query.question);
      }),
      { numRuns: 500 },
    );
  });

  test('an answer with octets changed or cut off says nothing that no record says', async () => {
    const change = fc.record({ at: fc.nat(sound.length - 1), octet: fc.nat(255) });
    await fc.assert(
      fc.property(fc.array(change, { maxLength: 4 }), fc.nat(sound.length), (changes, octets) => {
        const message = Buffer.from(sound);
        for (const { at, octet } of changes) message[at] = octet;
        const reading = readReply(message.subarray(0, octets), query);
        if (reading.kind !== 'response') return;
        const answer = readAnswer(reading.packet, query.question);
        if (answer.kind !== 'records') return;
        for (const record of answer.records) expect(message.toString('latin1')).toContain(record);
      }),
      { numRuns: 2_000 },
    );
  });

  test('sent by a server they leave the question without an answer', async () => {
    let octets: Uint8Array = new Uint8Array();
    await using server = await startRawServer({
      udp: (asked, { send }) => send(Buffer.concat([asked.subarray(0, 2), octets])),
    });
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 12, maxLength: 300 }), async (some) => {
        octets = some;
        const answer = await resolverFor(server, 20).ask('acme.test', 'TXT');
        expect(answer.kind).toBe('no_answer');
      }),
      { numRuns: 50 },
    );
  });
});
