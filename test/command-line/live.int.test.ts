import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identify } from '@orchestrate/embedded';
import { eventually } from '@orchestrate/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PlatformFixture, startPlatformFixture } from '../journeys/platform-fixture.ts';
import { chainOf, decisions, observe, readyTenant, request } from '../journeys/tenant-fixture.ts';
import { documentsIn, ROOT, run, start } from './run-command.ts';

const MAIN = join(ROOT, 'libs/cli/src/main.ts');
const ENTER_SCREEN = '\u001b[?1049h';
const LEAVE_SCREEN = '\u001b[?1049l';
const CURSOR_BACK = '\u001b[?25h';
const CANNOT_SEND = /mailbox {2}● ready → ▲ client_action {2}\(ok → cannot_send\)/;

describe('what goes on until ^C', () => {
  let fixture: PlatformFixture;
  const here = (...args: string[]) => ['--data-dir', fixture.platform.dataDir, ...args];
  const sending = (tenantId: string, canSend: boolean) =>
    observe(fixture.broker, tenantId, 'mailbox', 'anna', { canSend });

  beforeAll(async () => {
    fixture = await startPlatformFixture({
      services: [{ name: 'layer-runtime' }, { name: 'truth-aggregator' }, { name: 'dispatch-governance' }],
    });
  });
  afterAll(() => fixture[Symbol.asyncDispose]());

  it('readiness --watch shows the picture, then a line for each change, and ends in order', async () => {
    await readyTenant(fixture.broker, 'watched');
    const watching = start(here('readiness', 'watched', '--watch'));
    await eventually('the picture', () => watching.out().includes('9 of 9 layers ready'));
    await sending('watched', false);
    await eventually('the change', () => CANNOT_SEND.test(watching.out()));
    await sending('watched', true);
    await eventually('the way back', () => /mailbox {2}▲ client_action → ● ready/.test(watching.out()));
    watching.child.kill('SIGINT');
    expect(await watching.ended).toMatchObject({ code: 0, err: '' });
  });

  it('readiness --watch --json prints a document for each change', async () => {
    await readyTenant(fixture.broker, 'followed');
    const watching = start(here('--json', 'readiness', 'followed', '--watch'));
    await eventually('the first document', () => watching.out() !== '');
    await sending('followed', false);
    const documents = await eventually('a second document', () => {
      const told = documentsIn(watching.out()) as { layers: { layer: string; state: string }[] }[];
      return told.length > 1 ? told : null;
    });
    expect(documents.at(-1)!.layers.find(({ layer }) => layer === 'mailbox')!.state).toBe('client_action');
    watching.child.kill('SIGINT');
    expect((await watching.ended).code).toBe(0);
  });

  it('readiness --until ends when the layer is there, and fails with the time that it waited', async () => {
    await readyTenant(fixture.broker, 'awaited');
    await sending('awaited', false);
    const late = await run(here('readiness', 'awaited', '--until', 'mailbox=probation', '--timeout', '1'));
    expect(late).toMatchObject({
      code: 1,
      err: '`awaited` did not get there within 1 s: see above what it waits for\n',
    });
    const waiting = start(here('readiness', 'awaited', '--until', 'ready', '--timeout', '30'));
    await eventually('what is waited for', () =>
      /mailbox {2}▲ client_action {2}\(cannot_send\)/.test(waiting.out()),
    );
    await sending('awaited', true);
    expect((await waiting.ended).code).toBe(0);
  });

  it('decisions --follow shows each record as it comes', async () => {
    await readyTenant(fixture.broker, 'asked');
    const following = start(here('decisions', 'asked', '--follow'));
    await eventually('the head of the table', () => following.out().includes('DISPATCH'));
    for (const n of [1, 2]) {
      await request(fixture.broker, 'asked', n);
      await eventually(`record ${n}`, () =>
        new RegExp(`^${n} +\\S+ \\S+ +APPROVE +d-${n} `, 'm').test(following.out()),
      );
    }
    following.child.kill('SIGINT');
    expect(await following.ended).toMatchObject({ code: 0, err: '' });
  });

  it('goes on after nats-server was killed, and says so', async () => {
    await readyTenant(fixture.broker, 'patient');
    const watching = start(here('readiness', 'patient', '--watch'));
    await eventually('the picture', () => watching.out().includes('9 of 9 layers ready'));
    await fixture.platform.nats.kill();
    await eventually('nats-server is missed', () => watching.out().includes('nats-server is away'));
    await eventually('nats-server is back', () => watching.out().includes('nats-server is back'));
    await sending('patient', false);
    await eventually('the change', () => CANNOT_SEND.test(watching.out()));
    watching.child.kill('SIGINT');
    expect((await watching.ended).code).toBe(0);
  });

  it('finds the record of a command among thousands that are decided meanwhile', async () => {
    const tenantId = 'busy';
    await readyTenant(fixture.broker, tenantId, { capPerDay: 5_000 });
    const asking = (async () => {
      for (let n = 1; n <= 2_000; n++) await request(fixture.broker, tenantId, n);
    })();
    await eventually(
      'decisions are being made',
      async () => (await decisions(fixture.broker, tenantId)).length > 50,
    );
    const frozen = await run(here('freeze', tenantId));
    expect(frozen).toMatchObject({ code: 0, err: '' });
    await asking;
    const kinds = (await chainOf(fixture.broker, tenantId)).map(({ record }) => record.kind);
    expect(kinds.indexOf('INTERVENTION')).toBeGreaterThan(50);
    expect(kinds.slice(kinds.indexOf('INTERVENTION'))).not.toContain('APPROVE');
  });

  it('run runs one service more on the platform here, until ^C', async () => {
    const running = start(here('run', 'truth-aggregator'), { CADENCE_SEC: '1' });
    await eventually('it is ready', () => /"service":"truth-aggregator".*"msg":"ready"/.test(running.out()));
    await readyTenant(fixture.broker, 'shared');
    running.child.kill('SIGINT');
    expect(await running.ended).toMatchObject({ code: 0, err: '' });
    expect((await run(here('readiness', 'shared', '--until', 'ready', '--timeout', '30'))).code).toBe(0);
  });

  it('doctor ends on ^C in the midst of its checks', async () => {
    await using mute = createServer();
    mute.listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const { port } = mute.address() as AddressInfo;
    const connected = once(mute, 'connection');
    const looking = start(['doctor', '--nats-url', `nats://127.0.0.1:${port}`]);
    const [socket] = await connected;
    looking.child.kill('SIGINT');
    const ran = await looking.ended;
    socket.destroy();
    expect(ran).toMatchObject({ code: 130, err: 'interrupted\n' });
    expect(ran.out).not.toContain('checks:');
  });

  it('a reader that has seen enough is no error', async () => {
    await readyTenant(fixture.broker, 'long');
    const { status, stdout, stderr } = spawnSync(
      'bash',
      [
        '-o',
        'pipefail',
        '-c',
        `"${process.execPath}" "${MAIN}" --data-dir "${fixture.platform.dataDir}" --json truth long --history | head -c 10`,
      ],
      { encoding: 'utf8' },
    );
    expect({ status, stderr, octets: stdout.length }).toEqual({ status: 0, stderr: '', octets: 10 });
  });

  it('draws a screen of its own on a terminal, and leaves the last picture behind', async (context) => {
    if (spawnSync('script', ['--version']).error) context.skip('no `script` here to make a terminal with');
    await readyTenant(fixture.broker, 'drawn');
    const command = `"${process.execPath}" "${MAIN}" --data-dir "${fixture.platform.dataDir}" readiness drawn --watch`;
    // `stty` makes the terminal as large as the picture. A shell that stayed would hear the ^C too, and some end by it.
    const terminal = spawn('script', ['-qfec', `stty cols 140 rows 50; exec ${command}`, '/dev/null'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let shown = '';
    terminal.stdout.setEncoding('utf8').on('data', (text) => {
      shown += text;
    });
    const ended = new Promise<number | null>((done) => terminal.on('close', done));
    await eventually('the screen', () => shown.includes(ENTER_SCREEN) && shown.includes('9 of 9 layers'));
    await sending('drawn', false);
    await eventually('the change', () => shown.includes('8 of 9 layers ready'));
    terminal.stdin.write('\u0003');
    expect(await ended).toBe(0);
    const left = shown.split(LEAVE_SCREEN).at(-1)!;
    expect(shown.split(LEAVE_SCREEN)).toHaveLength(2);
    expect(left).toContain(CURSOR_BACK);
    expect(left).toContain('8 of 9 layers ready');
    expect(left).toContain('cannot_send');
  });
});

describe('status', () => {
  it('names the address at which each instance shows its metrics', async () => {
    await using fixture = await startPlatformFixture({
      services: [{ name: 'layer-runtime' }, { name: 'truth-aggregator' }],
    });
    const at = (...args: string[]) => run(['--data-dir', fixture.platform.dataDir, ...args]);
    const [{ services }] = documentsIn((await at('--json', 'status')).out) as [
      { services: { instance: string; metricsUrl: string }[] },
    ];
    expect(services.map(({ instance }) => instance)).toEqual(['layer-runtime-1', 'truth-aggregator-1']);
    const table = (await at('status')).out;
    for (const { instance, metricsUrl } of services) {
      const text = await (await fetch(metricsUrl)).text();
      expect(text).toContain(`service_instance_id="${instance}"`);
      expect(table).toMatch(new RegExp(`^${instance} .* ${new URL(metricsUrl).port} `, 'm'));
    }
  });
});

describe('a platform of its own', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'orchestrate-up-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('goes to the background, is found by the next command, and stops in order', async () => {
    const at = (...args: string[]) => run(['--data-dir', join(folder, 'detached'), ...args]);
    const up = await at('--json', 'up', '--detach', '--sync', '100ms');
    expect(up).toMatchObject({ code: 0, err: '' });
    const [{ pid }] = documentsIn(up.out) as [{ pid: number }];
    try {
      expect((await at('status')).code).toBe(0);
      expect((await at('up')).out).toMatch(/^the platform is up already: nats:/);
      expect(await at('tenant', 'list')).toMatchObject({
        code: 0,
        out: 'no tenants yet: apply a tenant file with `orchestrate tenant apply <file>`\n',
      });
    } finally {
      expect(await at('down')).toMatchObject({ code: 0, out: 'down\n' });
    }
    expect(identify(pid)).toBeNull();
    expect((await at('status')).code).toBe(3);
    expect(await readFile(join(folder, 'detached', 'platform.log'), 'utf8')).toContain('ready');
  });

  it('ends in order on ^C, twice as well, and leaves no process behind', async () => {
    const dataDir = join(folder, 'foreground');
    const platform = start(['--data-dir', dataDir, 'up', '--sync', '100ms']);
    await eventually('it is up', () => platform.out().includes('^C stops everything'));
    const status = await run(['--data-dir', dataDir, '--json', 'status']);
    const [{ services }] = documentsIn(status.out) as [{ services: { pid: number }[] }];
    platform.child.kill('SIGINT');
    platform.child.kill('SIGINT');
    const { code, out } = await platform.ended;
    expect(code).toBe(0);
    expect(out).toMatch(/\ndown\n$/);
    expect(services.length).toBeGreaterThan(3);
    for (const { pid } of services) expect(identify(pid)).toBeNull();
    expect(existsSync(join(dataDir, 'run.json'))).toBe(false);
  });

  it('shows a name server that answers again, a DNS repair and a delivered proof, live', async () => {
    const dataDir = join(folder, 'sandbox');
    const at = (...args: string[]) => run(['--data-dir', dataDir, ...args]);
    const quickstart = (name: string) => join(ROOT, 'examples/quickstart', name);
    const zone = join(dataDir, 'sandbox/zones/juno.example.zone');
    const silence = join(dataDir, 'sandbox/zones/juno.example.silent');
    const up = await at('up', '--detach', '--sync', '100ms', '--sandbox', quickstart('zones'));
    expect(up).toMatchObject({ code: 0, err: '' });
    try {
      await writeFile(silence, '');
      expect((await at('tenant', 'apply', quickstart('tenant.yaml'))).code).toBe(0);
      expect((await at('evidence', 'apply', quickstart('evidence.yaml'))).code).toBe(0);
      expect(
        (await at('readiness', 'juno', '--until', 'sending_domain=unknown', '--timeout', '30')).code,
      ).toBe(0);
      const watching = start(['--data-dir', dataDir, 'readiness', 'juno', '--watch']);
      await eventually('unknown', () => /^sending_domain +orchestrate +○ unknown /m.test(watching.out()));
      const shows = (change: RegExp) => eventually(`${change}`, () => change.test(watching.out()), 30_000);
      await rm(silence);
      await shows(/sending_domain {2}○ unknown → ▲ client_action {2}\(\w+ → dmarc_none\)/);
      await appendFile(zone, '_dmarc IN TXT "v=DMARC1; p=none"\n');
      await shows(
        /sending_domain {2}▲ client_action → ○ provisioning {2}\(dmarc_none → no_delivered_proof\)/,
      );
      expect((await at('evidence', 'apply', quickstart('proof.yaml'))).code).toBe(0);
      await shows(/sending_domain {2}○ provisioning → ● ready {2}\(no_delivered_proof → ok\)/);
      watching.child.kill('SIGINT');
      expect((await watching.ended).code).toBe(0);
    } finally {
      expect((await at('down')).code).toBe(0);
    }
  });

  it('says why it did not come up in the background as in the foreground, and nothing of the run before', async () => {
    const broken = ['--data-dir', join(folder, 'broken'), 'up', '--detach'];
    const service = await run(broken, { DNS_SERVERS: 'nowhere' });
    expect(service.code).toBe(1);
    expect(service.err).toMatch(/^service `evidence-probes-1` ended with code 2 .*\n.*DNS_SERVERS/);
    const policy = await run([...broken, '--policy', '/nowhere/policy.json']);
    expect(policy).toMatchObject({ code: 4, err: '/nowhere/policy.json:1: there is no such file\n' });
    const sync = await run([...broken, '--sync', 'banana']);
    expect(sync.code).toBe(2);
    expect(sync.err).toMatch(/'banana' is invalid\. it takes `always`, or an interval such as 100ms/);
  });
});

describe('the TAB key', () => {
  it('completes tenants, in a bash that has no package for completion', async () => {
    await using fixture = await startPlatformFixture({
      services: [{ name: 'layer-runtime' }, { name: 'truth-aggregator' }],
    });
    await readyTenant(fixture.broker, 'aurora');
    const script = [
      `orchestrate() { "${process.execPath}" "${MAIN}" "$@"; }`,
      'source <(orchestrate completion bash)',
      // Only bash itself may call it, while it completes.
      'compopt() { :; }',
      'COMP_WORDS=(orchestrate readiness aur)',
      'COMP_CWORD=2',
      '__orchestrate_complete',
      'echo $COMPREPLY',
    ].join('\n');
    const env = { ...process.env, ORCHESTRATE_DATA_DIR: fixture.platform.dataDir, NATS_URL: '' };
    // Who presses it on a busy machine may have to press it again: it waits 400 ms for tenants, and no longer.
    let complaints = '';
    await eventually('it completes', () => {
      const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script], { encoding: 'utf8', env });
      complaints += stderr;
      return stdout.includes('aurora');
    });
    expect(complaints).toBe('');
  });

  const complete = (...words: string[]) => run(['complete', '--', ...words]);

  it('completes commands, options and their choices', async () => {
    expect((await complete('fre')).out).toMatch(/^freeze\t/m);
    expect((await complete('tenant', '')).out).toMatch(/^apply\t[\s\S]*^show\t/m);
    expect((await complete('readiness', '--wa')).out).toMatch(/^--watch\t/m);
    expect((await complete('freeze', '--reason', '')).out).toMatch(/^incident/m);
  });
});
