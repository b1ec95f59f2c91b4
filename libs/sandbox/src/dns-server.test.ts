import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode, encode, type Packet, TRUNCATED_RESPONSE } from 'dns-packet';
import { describe, expect, test } from 'vitest';
import { type DnsServer, type DnsServerOptions, startDnsServer } from './index.ts';

const ACME = `
  @       300 IN SOA ns1 hostmaster ( 7 ; serial
                      7200 3600 86400 300 )
          300 IN NS  ns1
  @       300 IN TXT "v=spf1 ip4:192.0.2.1 -all"
  @       300 IN MX  10 mail
  mail    300 IN A   192.0.2.1
  mail    300 IN AAAA 2001:db8::1
  s1._domainkey 300 IN TXT ( "v=DKIM1; k=rsa; "
                             "p=AAAA" ) ; two strings
  alias   300 IN CNAME mail
  chain   300 IN CNAME alias
  dangling 300 IN CNAME nowhere
  abroad  300 IN CNAME mail.elsewhere.test.
  other   300 IN CNAME host.other.test.
  loop-a  300 IN CNAME loop-b
  loop-b  300 IN CNAME loop-a
  *.wild  300 IN TXT "anything"
  bytes   300 IN TXT "\\255\\000 \\"quoted\\" a\\;b"
  _sip._tcp 300 IN SRV 1 2 5060 mail
`;

function start(options: DnsServerOptions = {}): Promise<DnsServer> {
  return startDnsServer({ zones: { 'acme.test': ACME, 'other.test': 'host 60 IN A 192.0.2.9' }, ...options });
}

function resolverFor(server: DnsServer): Resolver {
  const resolver = new Resolver({ timeout: 200, tries: 1 });
  resolver.setServers([server.address]);
  return resolver;
}

async function askUdp(server: DnsServer, packet: Packet | Buffer): Promise<Buffer> {
  const socket = createSocket('udp4');
  try {
    socket.send(Buffer.isBuffer(packet) ? packet : encode(packet), server.port, server.host);
    const [message] = (await once(socket, 'message', { signal: AbortSignal.timeout(2000) })) as [Buffer];
    return message;
  } finally {
    socket.close();
  }
}

function rcodeOf(message: Buffer): number {
  return message.readUInt8(3) & 0x0f;
}

const txt = (name: string): Packet => ({ type: 'query', id: 9, questions: [{ type: 'TXT', name }] });

describe('records', () => {
  test('a zone in master format answers with what it says', async () => {
    await using server = await start();
    const resolver = resolverFor(server);
    expect(await resolver.resolveTxt('acme.test')).toEqual([['v=spf1 ip4:192.0.2.1 -all']]);
    expect(await resolver.resolveTxt('s1._domainkey.acme.test')).toEqual([['v=DKIM1; k=rsa; ', 'p=AAAA']]);
    expect(await resolver.resolveMx('acme.test')).toMatchObject([
      { exchange: 'mail.acme.test', priority: 10 },
    ]);
    expect(await resolver.resolve4('mail.acme.test')).toEqual(['192.0.2.1']);
    expect(await resolver.resolve6('mail.acme.test')).toEqual(['2001:db8::1']);
    expect(await resolver.resolveNs('acme.test')).toEqual(['ns1.acme.test']);
    expect(await resolver.resolveSoa('acme.test')).toMatchObject({
      serial: 7,
      hostmaster: 'hostmaster.acme.test',
    });
    expect(await resolver.resolveSrv('_sip._tcp.acme.test')).toMatchObject([
      { port: 5060, name: 'mail.acme.test' },
    ]);
    expect(server.queries).toBe(8);
  });

  test('escaped octets reach the wire as they are', async () => {
    await using server = await start();
    const [record] = await resolverFor(server).resolveTxt('bytes.acme.test');
    expect(record).toEqual(['\u00ff\u0000 "quoted" a;b']);
  });

  test('names compare without regard to case, and the answer keeps the case of the question', async () => {
    await using server = await start();
    const answer = decode(await askUdp(server, txt('AcMe.TeSt')));
    expect(answer.answers).toMatchObject([{ name: 'AcMe.TeSt', type: 'TXT' }]);
  });

  test('a wildcard answers below its name, and not at it', async () => {
    await using server = await start();
    const resolver = resolverFor(server);
    expect(await resolver.resolveTxt('a.b.wild.acme.test')).toEqual([['anything']]);
    await expect(resolver.resolveTxt('wild.acme.test')).rejects.toMatchObject({ code: 'ENODATA' });
  });

  test('zone files are served and read again on reload', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'dns-zone-'));
    const file = join(folder.path, 'file.test.zone');
    await writeFile(
      file,
      '$ORIGIN file.test.\n$TTL 60\n@ IN TXT "one"\n$ORIGIN sub.file.test.\nx IN CNAME y\ny IN TXT "two"\n',
    );
    await using server = await startDnsServer({ zoneFiles: [file] });
    const resolver = resolverFor(server);
    expect(await resolver.resolveTxt('file.test')).toEqual([['one']]);
    expect(await resolver.resolveTxt('x.sub.file.test')).toEqual([['two']]);

    await writeFile(file, '$ORIGIN file.test.\n@ 60 IN TXT "three"\n');
    server.reload({ 'late.test': '@ 60 IN TXT "late"' });
    expect(await resolver.resolveTxt('file.test')).toEqual([['three']]);
    expect(await resolver.resolveTxt('late.test')).toEqual([['late']]);
  });

  test.each([
    ['@ 60 IN LOC 1', 'cannot serve record type `LOC` at `bad.test`'],
    [`@ 60 IN TXT "${'x'.repeat(256)}"`, 'a string of the TXT record at `bad.test` is over 255 octets'],
    [`${'x'.repeat(64)} 60 IN TXT "x"`, 'is over 63 octets'],
    ['elsewhere.test. 60 IN TXT "x"', '`elsewhere.test` lies outside its zone `bad.test`'],
    ['$INCLUDE other.zone', '$INCLUDE is not served'],
  ])('a zone that says %s is refused at the start', async (text, message) => {
    await expect(startDnsServer({ zones: { 'bad.test': text } })).rejects.toThrow(message);
  });
});

describe('answers that say no', () => {
  test('a name that does not exist is NXDOMAIN, with the SOA in the authority section', async () => {
    await using server = await start();
    const answer = await askUdp(server, txt('nowhere.acme.test'));
    expect(rcodeOf(answer)).toBe(3);
    expect(decode(answer).authorities).toMatchObject([{ type: 'SOA', name: 'acme.test' }]);
  });

  test('a name of another type is NODATA, with the SOA in the authority section', async () => {
    await using server = await start();
    const answer = await askUdp(server, txt('mail.acme.test'));
    expect(rcodeOf(answer)).toBe(0);
    expect(decode(answer)).toMatchObject({ answers: [], authorities: [{ type: 'SOA' }] });
  });

  test('an empty non-terminal is NODATA, not NXDOMAIN', async () => {
    await using server = await start();
    await expect(resolverFor(server).resolveTxt('_domainkey.acme.test')).rejects.toMatchObject({
      code: 'ENODATA',
    });
  });

  test('a zone that is not served is REFUSED', async () => {
    await using server = await start();
    await expect(resolverFor(server).resolveTxt('example.org')).rejects.toMatchObject({ code: 'EREFUSED' });
  });
});

describe('aliases', () => {
  test('a CNAME is followed inside the zones served, across them too', async () => {
    await using server = await start();
    const resolver = resolverFor(server);
    expect(await resolver.resolve4('chain.acme.test')).toEqual(['192.0.2.1']);
    expect(await resolver.resolve4('other.acme.test')).toEqual(['192.0.2.9']);
  });

  test('the code of a chain is that of its last name', async () => {
    await using server = await start();
    const answer = await askUdp(server, txt('dangling.acme.test'));
    expect(rcodeOf(answer)).toBe(3);
    expect(decode(answer).answers).toMatchObject([{ type: 'CNAME', data: 'nowhere.acme.test' }]);
  });

  test('a CNAME out of the zones served is handed over as it is', async () => {
    await using server = await start();
    const answer = await askUdp(server, txt('abroad.acme.test'));
    expect(rcodeOf(answer)).toBe(0);
    expect(decode(answer).answers).toMatchObject([{ type: 'CNAME', data: 'mail.elsewhere.test' }]);
  });

  test('a CNAME loop ends', async () => {
    await using server = await start();
    expect(rcodeOf(await askUdp(server, txt('loop-a.acme.test')))).toBe(2);
  });
});

describe('sizes', () => {
  const big = `@ 60 IN TXT ${Array.from({ length: 40 }, () => `"${'x'.repeat(250)}"`).join(' ')}`;

  test('an answer over 512 octets comes back truncated on UDP and whole over TCP', async () => {
    await using server = await start({ zones: { 'big.test': big } });
    const answer = await askUdp(server, txt('big.test'));
    expect(decode(answer)).toMatchObject({ answers: [] });
    expect(answer.readUInt16BE(2) & TRUNCATED_RESPONSE).toBe(TRUNCATED_RESPONSE);
    const [record] = await resolverFor(server).resolveTxt('big.test');
    expect(record?.join('')).toHaveLength(10_000);
    expect(server.queries).toBe(3);
  });

  test('an EDNS client gets up to the size it takes', async () => {
    const medium = `@ 60 IN TXT "${'x'.repeat(250)}" "${'y'.repeat(250)}" "${'z'.repeat(250)}"`;
    await using server = await start({ zones: { 'medium.test': medium } });
    const edns = { type: 'OPT', name: '.', udpPayloadSize: 1232, flags: 0, options: [] } as unknown;
    const answer = decode(await askUdp(server, { ...txt('medium.test'), additionals: [edns] } as Packet));
    expect(answer.answers).toHaveLength(1);
    expect(answer.additionals).toMatchObject([{ type: 'OPT' }]);
  });

  test('one TCP connection serves several questions, however they are cut', async () => {
    await using server = await start();
    const framed = Buffer.concat(['acme.test', 'mail.acme.test'].map((name) => frame(encode(txt(name)))));
    const socket = connect(server.port, server.host);
    for (const octet of framed) socket.write(Buffer.from([octet]));
    let received = Buffer.alloc(0);
    for await (const chunk of socket) {
      received = Buffer.concat([received, chunk as Buffer]);
      if (countFrames(received) === 2) break;
    }
    expect(countFrames(received)).toBe(2);
  });
});

describe('misbehaviour', () => {
  test.each([
    ['servfail', 'ESERVFAIL'],
    ['refused', 'EREFUSED'],
    ['silent', 'ETIMEOUT'],
  ] as const)('%s applies to a name and all below it, until it is lifted', async (behaviour, code) => {
    await using server = await start({ behaviours: { 'acme.test': behaviour } });
    const resolver = resolverFor(server);
    await expect(resolver.resolveTxt('s1._domainkey.acme.test')).rejects.toMatchObject({ code });
    expect(await resolver.resolve4('host.other.test')).toEqual(['192.0.2.9']);
    server.setBehaviour('acme.test', null);
    expect(await resolver.resolveTxt('acme.test')).toHaveLength(1);
  });

  test('`.` is every name', async () => {
    await using server = await start({ behaviours: { '.': 'servfail' } });
    await expect(resolverFor(server).resolve4('host.other.test')).rejects.toMatchObject({
      code: 'ESERVFAIL',
    });
  });

  test('an alias into a name that fails fails', async () => {
    await using server = await start({ behaviours: { 'other.test': 'servfail' } });
    await expect(resolverFor(server).resolve4('other.acme.test')).rejects.toMatchObject({
      code: 'ESERVFAIL',
    });
  });
});

describe('queries that are no queries', () => {
  test('garbage is FORMERR when it has a header, and dropped when it has none', async () => {
    await using server = await start();
    const garbage = Buffer.alloc(40, 0x3f);
    garbage.writeUInt16BE(0x0100, 2);
    expect(rcodeOf(await askUdp(server, garbage))).toBe(1);
    await expect(askUdpBriefly(server, Buffer.from('short'))).rejects.toThrow();
    expect(await resolverFor(server).resolveTxt('acme.test')).toHaveLength(1);
  });

  test('an opcode other than QUERY is NOTIMP, a zone transfer REFUSED, an unknown type NODATA', async () => {
    await using server = await start();
    expect(rcodeOf(await askUdp(server, { ...txt('acme.test'), flags: 4 << 11 }))).toBe(4);
    expect(rcodeOf(await askUdp(server, { id: 1, questions: [{ type: 'AXFR', name: 'acme.test' }] }))).toBe(
      5,
    );
    const https = encode(txt('acme.test'));
    https.writeUInt16BE(65, https.length - 4);
    expect(rcodeOf(await askUdp(server, https))).toBe(0);
  });
});

test('two servers live side by side, and a stopped one lets go of its port', async () => {
  await using one = await start();
  await using two = await start();
  expect(one.port).not.toBe(two.port);
  await one.stop();
  await using again = await start({ port: one.port });
  expect(await resolverFor(again).resolveTxt('acme.test')).toHaveLength(1);
});

function askUdpBriefly(server: DnsServer, packet: Buffer): Promise<unknown> {
  return Promise.race([
    askUdp(server, packet),
    new Promise((_, reject) => setTimeout(() => reject(new Error('no answer')), 200)),
  ]);
}

function frame(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

function countFrames(bytes: Buffer): number {
  let count = 0;
  for (let at = 0; at + 2 <= bytes.length && at + 2 + bytes.readUInt16BE(at) <= bytes.length; count++) {
    at += 2 + bytes.readUInt16BE(at);
  }
  return count;
}
