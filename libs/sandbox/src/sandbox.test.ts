import { spawn } from 'node:child_process';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import {
  appendFile,
  mkdir,
  mkdtempDisposable,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { eventually } from '@orchestrate/test-kit';
import { describe, expect, test } from 'vitest';
import { type Sandbox, type SandboxOptions, type SandboxProblem, startSandbox } from './index.ts';
import { Dialogue } from './smtp-dialogue.test-support.ts';

const ACME = `$ORIGIN acme.test.
$TTL 3600
@     IN SOA ns hostmaster ( 1 7200 3600 86400 60 )
@     IN TXT "v=spf1 -all"
mail  IN A   192.0.2.1
`;
const ABOVE = '@ IN SOA ns hostmaster ( 1 7200 3600 86400 60 )\n';

interface Fixture extends AsyncDisposable {
  readonly zonesFrom: string;
  readonly dataDir: string;
  readonly told: SandboxProblem[];
  readonly mended: string[];
  start(options?: Partial<SandboxOptions>): Promise<Sandbox>;
}

async function prepare(zones: Record<string, string> = { 'acme.test.zone': ACME }): Promise<Fixture> {
  const folder = await mkdtempDisposable(join(tmpdir(), 'sandbox-'));
  const zonesFrom = join(folder.path, 'zones');
  const dataDir = join(folder.path, 'data');
  await mkdir(zonesFrom);
  for (const [name, zone] of Object.entries(zones)) await writeFile(join(zonesFrom, name), zone);
  const told: SandboxProblem[] = [];
  const mended: string[] = [];
  return {
    zonesFrom,
    dataDir,
    told,
    mended,
    start: (options) =>
      startSandbox({
        zonesFrom,
        dataDir,
        onProblem: (problem) => told.push(problem),
        onMended: (file) => mended.push(file),
        ...options,
      }),
    [Symbol.asyncDispose]: () => folder.remove(),
  };
}

function resolverFor(sandbox: Sandbox): Resolver {
  const resolver = new Resolver({ timeout: 500, tries: 1 });
  resolver.setServers([sandbox.dnsAddress]);
  return resolver;
}

/** The strings of the TXT records of a name in order, or the code of the failure. */
async function txt(resolver: Resolver, name: string): Promise<string> {
  try {
    return (await resolver.resolveTxt(name))
      .map((strings) => strings.join(''))
      .sort()
      .join(', ');
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

/** As editors do: a new file in the place of the old one, so that nobody reads half of it. */
async function save(file: string, zone: string): Promise<void> {
  await writeFile(`${file}.new`, zone);
  await rename(`${file}.new`, file);
}

const answers = (resolver: Resolver, name: string, wanted: string) =>
  eventually(`${name} answers ${wanted}`, async () => {
    const answer = await txt(resolver, name);
    if (answer !== wanted) throw new Error(answer);
    return true;
  });

describe('zones', () => {
  test('an edit is in the next answer, though the answer before it may be kept for an hour', async () => {
    await using fixture = await prepare();
    await using sandbox = await fixture.start();
    const resolver = resolverFor(sandbox);
    expect(await txt(resolver, 'acme.test')).toBe('v=spf1 -all');
    expect(await txt(resolver, '_dmarc.acme.test')).toBe('ENOTFOUND');

    const file = join(sandbox.zonesDir, 'acme.test.zone');
    await appendFile(file, '_dmarc IN TXT "v=DMARC1; p=none"\n@ IN TXT "more"\n');
    await answers(resolver, '_dmarc.acme.test', 'v=DMARC1; p=none');
    expect(await txt(resolver, 'acme.test')).toBe('more, v=spf1 -all');
    expect(await resolver.resolve4('mail.acme.test')).toEqual(['192.0.2.1']);

    await save(file, ACME.replace('-all', '~all'));
    await answers(resolver, 'acme.test', 'v=spf1 ~all');
    expect(await txt(resolver, '_dmarc.acme.test')).toBe('ENOTFOUND');
    expect(fixture.told).toEqual([]);
  });

  test('a broken edit keeps the old answers and is told once with its line, until it is mended', async () => {
    await using fixture = await prepare();
    await using sandbox = await fixture.start();
    const resolver = resolverFor(sandbox);
    const file = join(sandbox.zonesDir, 'acme.test.zone');
    await save(file, `${ACME.replace('-all', '~all')}_dmarc IN TXT "v=DMARC1\n`);
    await eventually('it is told', () => fixture.told.length > 0);
    const problem = { file, line: 6, message: 'a quote is not closed on its line' };
    expect(fixture.told).toEqual([problem]);
    expect(sandbox.problems()).toEqual([problem]);
    expect(await txt(resolver, 'acme.test')).toBe('v=spf1 -all');

    // another edit that leaves it broken in the same place is no news, and one in another place is
    await save(file, `${ACME.replace('-all', '?all')}_dmarc IN TXT "v=DMARC1\nbad IN A x\n`);
    await eventually('the other is told', () => fixture.told.length > 1);
    expect(fixture.told).toEqual([problem, { file, line: 7, message: '`x` is no IPv4 address' }]);
    expect(fixture.mended).toEqual([]);

    await save(file, ACME.replace('-all', '~all'));
    await answers(resolver, 'acme.test', 'v=spf1 ~all');
    expect(sandbox.problems()).toEqual([]);
    expect(fixture.mended).toEqual([file]);
    expect(fixture.told).toHaveLength(2);
  });

  test('a zone file that appears is served, and one that disappears leaves what stands above it', async () => {
    await using fixture = await prepare({ 'acme.test.zone': ACME, 'test.zone': ABOVE });
    await using sandbox = await fixture.start();
    const resolver = resolverFor(sandbox);
    expect(await txt(resolver, 'new.test')).toBe('ENOTFOUND');
    expect(await txt(resolver, 'new.org')).toBe('EREFUSED');
    await writeFile(join(sandbox.zonesDir, 'new.test.zone'), `${ABOVE}@ IN TXT "one"`);
    await writeFile(join(sandbox.zonesDir, 'new.org.zone'), `${ABOVE}@ IN TXT "two"`);
    await answers(resolver, 'new.test', 'one');
    await answers(resolver, 'new.org', 'two');

    await rm(join(sandbox.zonesDir, 'new.test.zone'));
    await rm(join(sandbox.zonesDir, 'new.org.zone'));
    await answers(resolver, 'new.test', 'ENOTFOUND');
    await answers(resolver, 'new.org', 'EREFUSED');
  });

  test('a new zone with a mistake is SERVFAIL, for the zone above must not say that it does not exist', async () => {
    await using fixture = await prepare({ 'test.zone': ABOVE });
    await using sandbox = await fixture.start();
    const resolver = resolverFor(sandbox);
    const file = join(sandbox.zonesDir, 'new.test.zone');
    await writeFile(file, '@ IN TXT "one"\n');
    await answers(resolver, 'a.new.test', 'ESERVFAIL');
    expect(fixture.told).toEqual([{ file, message: expect.stringContaining('has no SOA record') }]);
    await writeFile(file, `${ABOVE}@ IN TXT "one"\n`);
    await answers(resolver, 'new.test', 'one');
    expect(await txt(resolver, 'a.new.test')).toBe('ENOTFOUND');
    expect(fixture.mended).toEqual([file]);
  });

  test.each(['acme.test.silent', 'ACME.test.zone.silent'])('`%s` makes it time out', async (name) => {
    await using fixture = await prepare({ 'acme.test.zone': ACME, 'other.test.zone': ACME_AS_OTHER });
    await using sandbox = await fixture.start();
    const resolver = resolverFor(sandbox);
    const file = join(sandbox.zonesDir, name);
    expect(await txt(resolver, 'acme.test')).toBe('v=spf1 -all');
    await writeFile(file, '');
    await answers(resolver, 'acme.test', 'ETIMEOUT');
    expect(await txt(resolver, 'nowhere.acme.test')).toBe('ETIMEOUT');
    expect(await txt(resolver, 'other.test')).toBe('v=spf1 -all');
    await rm(file);
    await answers(resolver, 'acme.test', 'v=spf1 -all');
    expect(sandbox.problems()).toEqual([]);
  });

  test('one name can be silent in a zone that answers', async () => {
    await using fixture = await prepare();
    await using sandbox = await fixture.start();
    const resolver = resolverFor(sandbox);
    expect(await txt(resolver, '_dmarc.acme.test')).toBe('ENOTFOUND');
    await writeFile(join(sandbox.zonesDir, '_dmarc.acme.test.silent'), '');
    await answers(resolver, '_dmarc.acme.test', 'ETIMEOUT');
    expect(await txt(resolver, 'acme.test')).toBe('v=spf1 -all');
  });

  test('edits are seen where the system gives no notice: in a folder that took the place of the old one', async () => {
    await using fixture = await prepare();
    await using sandbox = await fixture.start();
    const resolver = resolverFor(sandbox);
    const file = join(sandbox.zonesDir, 'acme.test.zone');
    await rm(sandbox.zonesDir, { recursive: true });
    await eventually('it is told', () => fixture.told.length > 0);
    expect(fixture.told).toEqual([{ file: sandbox.zonesDir, message: 'there is no such folder' }]);
    expect(await txt(resolver, 'acme.test')).toBe('v=spf1 -all');
    await mkdir(sandbox.zonesDir);
    await writeFile(file, ACME.replace('-all', '~all'));
    await answers(resolver, 'acme.test', 'v=spf1 ~all');
    await writeFile(file, ACME.replace('-all', '?all'));
    await answers(resolver, 'acme.test', 'v=spf1 ?all');
    expect(sandbox.problems()).toEqual([]);
  });

  test('a restart keeps the edits, copies what is new, and never writes to where the zones came from', async () => {
    await using fixture = await prepare();
    const edited = ACME.replace('-all', '~all');
    {
      await using sandbox = await fixture.start();
      await writeFile(join(sandbox.zonesDir, 'acme.test.zone'), edited);
    }
    await writeFile(join(fixture.zonesFrom, 'late.test.zone'), `${ABOVE}@ IN TXT "late"\n`);
    await using sandbox = await fixture.start();
    const resolver = resolverFor(sandbox);
    expect(await txt(resolver, 'acme.test')).toBe('v=spf1 ~all');
    expect(await txt(resolver, 'late.test')).toBe('late');
    expect(await readFile(join(fixture.zonesFrom, 'acme.test.zone'), 'utf8')).toBe(ACME);
    expect(await readdir(sandbox.zonesDir)).toEqual(['acme.test.zone', 'late.test.zone']);
  });
});

const ACME_AS_OTHER = ACME.replaceAll('acme', 'other');

describe('a sandbox that cannot start', () => {
  test('says which folder is missing, is none or holds no zone', async () => {
    await using fixture = await prepare({ 'README.md': 'nothing' });
    const { zonesFrom } = fixture;
    await expect(fixture.start()).rejects.toThrow(`${zonesFrom}: holds no zone file: name each`);
    const gone = join(zonesFrom, 'gone');
    await expect(fixture.start({ zonesFrom: gone })).rejects.toThrow(`${gone}: there is no such folder`);
    const file = join(zonesFrom, 'README.md');
    await expect(fixture.start({ zonesFrom: file })).rejects.toThrow(`${file}: is not a folder`);
  });

  test('names file and line of all zones that cannot be served, and has copied none', async () => {
    await using fixture = await prepare({
      'acme.test.zone': ACME,
      'bad.test.zone': `${ABOVE}a IN A x\n`,
      'worse.test.zone': 'b IN A 192.0.2.1\n',
    });
    const { zonesFrom, dataDir } = fixture;
    const failure = await fixture.start().catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'sandbox' });
    expect((failure as Error).message.split('\n')).toEqual([
      `${join(zonesFrom, 'bad.test.zone')}:2: \`x\` is no IPv4 address`,
      expect.stringMatching(
        `^${join(zonesFrom, 'worse.test.zone')}: the zone .worse.test. has no SOA record`,
      ),
    ]);
    expect(existsSync(join(dataDir, 'sandbox', 'zones'))).toBe(false);
  });

  test('names the copy when it was broken while nobody served it', async () => {
    await using fixture = await prepare();
    const sandbox = await fixture.start();
    await sandbox[Symbol.asyncDispose]();
    const file = join(sandbox.zonesDir, 'acme.test.zone');
    await appendFile(file, 'bad\n');
    await expect(fixture.start()).rejects.toThrow(`${file}:6: no record type is given at \`bad.acme.test\``);
  });

  test('names a port that is taken, and lets go of the other', async () => {
    await using fixture = await prepare();
    await using sandbox = await fixture.start();
    const dnsPort = Number(sandbox.dnsAddress.split(':')[1]);
    const smtpPort = Number(new URL(sandbox.smtpUrl).port);
    const { zonesFrom } = fixture;
    const dataDir = join(fixture.dataDir, 'second');
    const failing = (ports: object) => startSandbox({ zonesFrom, dataDir, ...ports });
    await expect(failing({ dnsPort })).rejects.toThrow(
      new RegExp(`the DNS server cannot start: .*EADDRINUSE.*:${dnsPort}`),
    );
    await sandbox[Symbol.asyncDispose]();
    await using other = await fixture.start({ smtpPort });
    await expect(failing({ dnsPort, smtpPort })).rejects.toThrow(
      new RegExp(`the SMTP server cannot start: .*EADDRINUSE.*:${smtpPort}`),
    );
    await other[Symbol.asyncDispose]();
    await using third = await startSandbox({ zonesFrom, dataDir, dnsPort, smtpPort });
    expect(await txt(resolverFor(third), 'acme.test')).toBe('v=spf1 -all');
  });
});

describe('mail', () => {
  const MESSAGE = 'Message-ID: <1@acme.test>\r\nSubject: h\u00e9\r\n\r\nHello,\r\n..dot\r\n';

  async function send(sandbox: { smtpUrl: string }, ...recipients: string[]): Promise<string> {
    await using dialogue = await Dialogue.open({ url: sandbox.smtpUrl });
    await dialogue.say('MAIL FROM:<ana@acme.test>');
    for (const recipient of recipients) expect(await dialogue.say(`RCPT TO:<${recipient}>`)).toMatch(/^250/);
    expect(await dialogue.say('DATA')).toMatch(/^354/);
    return await dialogue.say(`${MESSAGE}.`);
  }

  test('is there as a file, octet by octet, when its sender hears 250', async () => {
    await using fixture = await prepare();
    await using sandbox = await fixture.start();
    expect(await send(sandbox, 'bo@else.test', 'cy@else.test')).toMatch(/^250/);
    expect(await readdir(sandbox.mailDir)).toEqual(['0001-bo.eml']);
    const kept = await readFile(join(sandbox.mailDir, '0001-bo.eml'), 'utf8');
    expect(kept).toBe(MESSAGE.replace('..dot', '.dot'));
  });

  test('can be read by its user only', async () => {
    await using fixture = await prepare();
    // a folder that was there before is closed too
    await mkdir(join(fixture.dataDir, 'sandbox', 'mail'), { recursive: true, mode: 0o755 });
    await using sandbox = await fixture.start();
    await send(sandbox, 'bo@else.test');
    expect((await stat(sandbox.mailDir)).mode & 0o777).toBe(0o700);
    expect((await stat(join(sandbox.mailDir, '0001-bo.eml'))).mode & 0o777).toBe(0o600);
  });

  test('has numbers that go on after a restart, and what was left half written is cleared away', async () => {
    await using fixture = await prepare();
    {
      await using sandbox = await fixture.start();
      await send(sandbox, 'bo@else.test');
      await writeFile(join(sandbox.mailDir, '9999-many.eml'), '');
      await writeFile(join(sandbox.mailDir, '.10000-half.eml'), '');
      await writeFile(join(sandbox.mailDir, 'notes.txt'), '');
    }
    await using sandbox = await fixture.start();
    await send(sandbox, 'cy@else.test');
    expect((await readdir(sandbox.mailDir)).sort()).toEqual([
      '0001-bo.eml',
      '10000-cy.eml',
      '9999-many.eml',
      'notes.txt',
    ]);
  });

  test('of many senders at once is all kept, each under a number of its own', async () => {
    await using fixture = await prepare();
    await using sandbox = await fixture.start();
    const recipients = Array.from({ length: 20 }, (_, index) => `r${index}@else.test`);
    const replies = await Promise.all(recipients.map((recipient) => send(sandbox, recipient)));
    expect(replies.filter((reply) => !reply.startsWith('250'))).toEqual([]);
    const names = await readdir(sandbox.mailDir);
    expect(new Set(names.map((name) => name.slice(0, 4))).size).toBe(recipients.length);
    expect(new Set(names.map((name) => name.slice(5)))).toEqual(
      new Set(recipients.map((recipient) => `${recipient.split('@')[0]}.eml`)),
    );
  });

  test('stays in its folder, whoever it is for', async () => {
    await using fixture = await prepare();
    await using sandbox = await fixture.start();
    await send(sandbox, '/up/a&b@else.test');
    await send(sandbox, `${'x'.repeat(200)}+tag@else.test`);
    expect((await readdir(sandbox.mailDir)).sort()).toEqual([
      '0001-_up_a_b.eml',
      `0002-${'x'.repeat(64)}.eml`,
    ]);
  });

  test('that cannot be kept is not taken', async () => {
    await using fixture = await prepare();
    await using sandbox = await fixture.start();
    await rm(sandbox.mailDir, { recursive: true });
    expect(await send(sandbox, 'bo@else.test')).toMatch(/^451 /);
    await mkdir(sandbox.mailDir);
    expect(await send(sandbox, 'bo@else.test')).toMatch(/^250/);
  });
});

test('a process whose sandbox is disposed of has nothing left that keeps it, and its ports are free', async () => {
  await using fixture = await prepare();
  const script = `
    import { connect } from 'node:net';
    import { startSandbox } from ${JSON.stringify(join(import.meta.dirname, 'index.ts'))};
    const [zonesFrom, dataDir] = process.argv.slice(-2);
    const sandbox = await startSandbox({ zonesFrom, dataDir });
    const { port } = new URL(sandbox.smtpUrl);
    connect(port, '127.0.0.1').on('error', () => {}).once('data', async () => {
      console.log(JSON.stringify(process.getActiveResourcesInfo()));
      await sandbox[Symbol.asyncDispose]();
      const [, dnsPort] = sandbox.dnsAddress.split(':');
      const again = await startSandbox({ zonesFrom, dataDir, dnsPort: +dnsPort, smtpPort: +port });
      console.log(again.smtpUrl === sandbox.smtpUrl);
      await again[Symbol.asyncDispose]();
    });
  `;
  const child = spawn(
    process.execPath,
    ['--input-type=module', '-e', script, fixture.zonesFrom, fixture.dataDir],
    { stdio: ['ignore', 'pipe', 'inherit'], timeout: 20_000 },
  );
  const [said, [code, signal]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  expect({ code, signal }).toEqual({ code: 0, signal: null });
  const [held = '', reused] = said.split('\n');
  expect(JSON.parse(held)).toEqual(expect.arrayContaining(['FSEventWrap', 'Timeout', 'UDPWrap']));
  expect(reused).toBe('true');
});
