import { describe, expect, test } from 'vitest';
import { readZone, ZoneError } from './dns-zone.ts';

const SOA = '@ IN SOA ns hostmaster 1 7200 3600 1d 60';
const read = (...lines: string[]) =>
  readZone([SOA, ...lines].join('\n'), { origin: 'acme.test', needsSoa: true });

/** `7: message` of each problem, without the number where it is about the whole text. */
function problemsOf(text: string): string[] {
  try {
    readZone(text, { origin: 'acme.test', needsSoa: true });
  } catch (error) {
    expect(error).toBeInstanceOf(ZoneError);
    return (error as ZoneError).problems.map(({ line, message }) => (line ? `${line}: ${message}` : message));
  }
  throw new Error('the zone was taken');
}

describe('the form of a master file', () => {
  test('TTL and class stand in either order, units of time are understood, a blank repeats the name', () => {
    const zone = read(
      '$TTL 1h30m',
      'a 60 IN A 192.0.2.1',
      '  IN 120 A 192.0.2.2',
      '\tTXT bare "in quotes"',
      '$TTL 5',
      'a A 192.0.2.3',
    );
    expect(zone.records.get('a.acme.test')).toEqual([
      { type: 'A', name: 'a.acme.test', ttl: 60, data: '192.0.2.1' },
      { type: 'A', name: 'a.acme.test', ttl: 120, data: '192.0.2.2' },
      {
        type: 'TXT',
        name: 'a.acme.test',
        ttl: 5400,
        data: [Buffer.from('bare'), Buffer.from('in quotes')],
      },
      { type: 'A', name: 'a.acme.test', ttl: 5, data: '192.0.2.3' },
    ]);
    expect(zone.soa).toMatchObject({ data: { mname: 'ns.acme.test', expire: 86_400 } });
  });

  test('parentheses go over lines and comments, and what looks like either in quotes is text', () => {
    const zone = read('a IN TXT ( "one;(" ; a comment with ) and "', '   "two)" )', 'b IN A 192.0.2.1');
    expect(zone.records.get('a.acme.test')).toMatchObject([
      { data: [Buffer.from('one;('), Buffer.from('two)')] },
    ]);
    expect(zone.records.has('b.acme.test')).toBe(true);
  });

  test('a relative $ORIGIN goes below the one in force', () => {
    const zone = read('$ORIGIN _domainkey', 's1 IN TXT "x"', '$ORIGIN acme.test.', 'a IN A 192.0.2.1');
    expect([...zone.records.keys()]).toEqual(['acme.test', 's1._domainkey.acme.test', 'a.acme.test']);
  });

  test('line ends of any system and a byte order mark are no part of it', () => {
    const zone = readZone(`\uFEFF${SOA}\r\na IN TXT "x"\r\n`, { origin: 'acme.test', needsSoa: true });
    expect(zone.records.get('a.acme.test')).toMatchObject([{ data: [Buffer.from('x')] }]);
  });
});

describe('a zone that cannot be served', () => {
  test.each([
    ['a IN TXT "open', 'a quote is not closed on its line'],
    ['a IN TXT ( "x"\nb IN A 192.0.2.1', '`(` is not closed'],
    ['a IN A 192.0.2.1 )', '`)` closes nothing'],
    ['a IN TXT\u00a0"x"', 'U+00A0 does not belong here'],
    ['this is no record', 'cannot serve record type `IS` at `this.acme.test`: the types are A, AAAA, '],
    ['a IN "v=spf1 -all"', 'no record type is given at `a.acme.test`'],
    ['a IN TXT', 'the TXT record at `a.acme.test` holds no text'],
    ['a IN A 192.0.2.256', '`192.0.2.256` is no IPv4 address'],
    ['a IN AAAA 192.0.2.1', '`192.0.2.1` is no IPv6 address'],
    ['a IN MX mail', 'MX takes a preference, a name: 2 words, not 1'],
    ['a IN MX ten mail', '`ten` is no whole number of 0 to 65535'],
    ['a CH TXT "x"', 'class CH is not served'],
    ['a..b IN A 192.0.2.1', '`a..b` has an empty label'],
    ['"a" IN A 192.0.2.1', '`a` is a name: write it without quotes'],
    [
      '_dmarc.acme.test IN TXT "v=DMARC1; p=none"',
      '`_dmarc.acme.test` becomes `_dmarc.acme.test.acme.test`: end it with a dot, or leave out `.acme.test`',
    ],
    ['$GENERATE 1-9 a$ A 192.0.2.$', '$GENERATE is not served'],
    ['$TTL soon', '`soon` is no time'],
    ['b IN SOA ns hostmaster 1 1 1 1 1', 'the SOA record of a zone stands at its top, `acme.test`'],
    [SOA, 'a zone has one SOA record, and this is another'],
    ['elsewhere.test. IN A 192.0.2.1', '`elsewhere.test` lies outside its zone `acme.test`'],
  ])('names the line of `%s`', (line, message) => {
    const problems = problemsOf(`${SOA}\n; a comment\nok IN TXT ( "one"\n  "two" )\n${line}\n`);
    expect(problems).toEqual([expect.stringContaining(message)]);
    expect(problems[0]).toMatch(/^5: /);
  });

  test('names all its problems at once, by line', () => {
    expect(problemsOf('a IN A x\n\nb IN TXT "open\nc IN LOC 1\nelsewhere.test. IN A 192.0.2.1')).toEqual([
      'the zone `acme.test` has no SOA record: `@ IN SOA ns.acme.test. hostmaster.acme.test. ( 1 7200 3600 86400 60 )` will do',
      '1: `x` is no IPv4 address',
      '3: a quote is not closed on its line',
      expect.stringMatching(/^4: cannot serve record type `LOC`/),
      '5: `elsewhere.test` lies outside its zone `acme.test`',
    ]);
  });

  test('an empty text is one: a file is empty for a moment while it is saved', () => {
    expect(problemsOf('')).toEqual([expect.stringContaining('has no SOA record')]);
  });

  test('the SOA record that is proposed will do', () => {
    const [, line = ''] = /`(@ IN SOA [^`]+)`/.exec(problemsOf('')[0]!) ?? [];
    expect(readZone(line, { origin: 'acme.test', needsSoa: true }).records.size).toBe(1);
  });
});

test('names of the root zone are relative to the root, and all lie in it', () => {
  const zone = readZone('com 60 IN NS ns.example.\nns.example. 60 IN A 192.0.2.1\n', { origin: '.' });
  expect([...zone.records.keys()]).toEqual(['', 'com', 'ns.example']);
});
