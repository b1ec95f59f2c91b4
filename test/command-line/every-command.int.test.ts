import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildProgram, type Command, ERROR_OUTPUT, OUTPUTS, type OutputName } from '@orchestrate/cli';
import { applyTenantFile, readPolicyFile } from '@orchestrate/client';
import { type DnsServer, startDnsServer } from '@orchestrate/sandbox';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GAPLESS_POLICY, type PlatformFixture, startPlatformFixture } from '../journeys/platform-fixture.ts';
import { decided, readyTenant, request } from '../journeys/tenant-fixture.ts';
import { CASES, type Stage, withoutPlatform } from './cases.ts';
import { documentsIn, type Ran, ROOT, run, start } from './run-command.ts';

function pathsOf(program: Command, before = ''): string[] {
  return program.commands.flatMap((command) => {
    const path = `${before}${command.name()}`;
    return command.commands.length > 0 ? pathsOf(command, `${path} `) : [path];
  });
}
const PATHS = pathsOf(buildProgram());
const NAMES = Object.keys(CASES);
const HELD = 4;

/** A sentence that a person can act on: no stack, no capital at its start, no colour codes. */
function expectPlain(told: string): void {
  expect(told).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m);
  expect(told).not.toContain('\u001b');
  expect(told.trimStart()[0], told).not.toMatch(/[A-Z]/);
}

describe('every command', () => {
  let fixture: PlatformFixture;
  let folder: string;
  let stage: Stage;
  let dns: DnsServer;
  /** What `doctor` finds must not hang on the network of the machine. */
  const outside = () => ({ DNS_SERVERS: dns.address });
  const here = (args: readonly string[]) => run(['--data-dir', stage.dataDir, ...args], outside());

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'orchestrate-files-'));
    dns = await startDnsServer({ behaviours: { '.': 'refused' } });
    const file = async (name: string, text: string) => {
      await writeFile(join(folder, name), text);
      return join(folder, name);
    };
    fixture = await startPlatformFixture({
      services: [{ name: 'layer-runtime' }, { name: 'truth-aggregator' }, { name: 'dispatch-governance' }],
      // No probe looks at the windows here, however long the commands take on a busy machine.
      policy: { ...GAPLESS_POLICY, heartbeatMaxSec: 86_400 },
    });
    const { broker } = fixture;
    await applyTenantFile(broker, join(ROOT, 'examples/quickstart/tenant.yaml'));
    await readyTenant(broker, 'held', { mode: 'approval_required' });
    await readyTenant(broker, 'leaving');
    for (let n = 1; n <= HELD; n++) {
      await request(broker, 'held', n);
      await decided(broker, 'held', n, { kind: 'HOLD_FOR_HUMAN_REVIEW' });
    }
    const policy = readPolicyFile();
    stage = {
      dataDir: fixture.platform.dataDir,
      held: Array.from({ length: HELD }, (_, index) => `d-${index + 1}`),
      files: {
        brokenTenant: await file('broken-tenant.yaml', 'tenant: typo\ngovernence: { mode: autonomous }\n'),
        brokenEvidence: await file(
          'broken-evidence.yaml',
          'tenant: juno\nevidence:\n  - layer: billing\n    source: main\n    facts: { subscriptionStatus: shiny }\n',
        ),
        brokenLeads: await file('broken-leads.csv', 'name,company\nAnn,Maple Works\n'),
        brokenPolicy: await file(
          'broken-policy.json',
          JSON.stringify({ ...policy, dispatch: { ...policy.dispatch, cadenceSec: 'often' } }),
        ),
      },
    };
  });
  afterAll(async () => {
    await fixture[Symbol.asyncDispose]();
    await dns.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('has a case here, and each case is a command', () => {
    expect(new Set(NAMES)).toEqual(new Set(PATHS));
  });

  it('shows an example of itself', () => {
    const help = (command: Command): string => {
      let text = '';
      command.configureOutput({
        writeOut: (part) => {
          text += part;
        },
      });
      command.outputHelp();
      return text;
    };
    const check = (command: Command, path: string) => {
      if (command.commands.length > 0)
        for (const one of command.commands) check(one, `${path} ${one.name()}`);
      else expect(help(command), path).toMatch(new RegExp(`Examples?:\\n {2}orchestrate ${path.trim()}\\b`));
    };
    for (const command of buildProgram().commands) check(command, command.name());
  });

  describe.concurrent('says in one sentence what is wrong with a call, and takes nothing of it', () => {
    it.each(NAMES.filter((name) => name !== 'reject'))('%s', async (name) => {
      const { args, code, says } = CASES[name]!.badly(stage);
      const ran = await here(args);
      expect(ran.err).toMatch(says);
      expect(ran).toMatchObject({ code, out: '' });
      expectPlain(ran.err);
      const told = await here(['--json', ...args]);
      expect(told).toMatchObject({ code, out: '' });
      expect(ERROR_OUTPUT.parse(JSON.parse(told.err)).error.exitCode).toBe(code);
    });
  });

  describe('does what it is for, and tells it as its schema says', () => {
    // In the order of the cases: what one makes, the next one shows.
    it.each(NAMES)('%s', async (name) => {
      const { args, says } = CASES[name]!.well(stage);
      const ran = await here(args);
      expect(ran.err).toBe('');
      expect(ran.out).toMatch(says);
      expect(ran.code).toBe(0);
      const told = await here(['--json', ...(CASES[name]!.json?.(stage) ?? args)]);
      expect(told.code).toBe(0);
      if (!(name in OUTPUTS)) return;
      const documents = documentsIn(told.out);
      expect(documents.length).toBeGreaterThan(0);
      for (const document of documents) OUTPUTS[name as OutputName].parse(document);
    });

    it('reject, of what is no hold any more', async () => {
      const { args, code, says } = CASES.reject!.badly(stage);
      const ran = await here(args);
      expect(ran).toMatchObject({ code, out: '' });
      expect(ran.err).toMatch(says);
    });
  });

  describe.concurrent('says where no platform is that none is, and how to start one', () => {
    it.each(NAMES)('%s', async (name) => {
      const wanted = CASES[name]!.down ?? withoutPlatform(CASES[name]!.well(stage).args);
      const ran: Ran = await run(['--data-dir', join(folder, name), ...wanted.args], outside());
      expect(ran.code === 0 ? ran.out : ran.err).toMatch(wanted.says);
      expect(ran.code).toBe(wanted.code);
      if (ran.code !== 0) expectPlain(ran.err);
    });
  });

  describe.concurrent('ends on ^C at once and says so', () => {
    const asking = NAMES.filter((name) => CASES[name]!.interrupt !== 'elsewhere');
    it.each(asking)('%s', async (name) => {
      // A server that takes the connection and never says a word: the command is certain to be waiting.
      await using mute = createServer();
      mute.listen(0, '127.0.0.1');
      await once(mute, 'listening');
      const { port } = mute.address() as AddressInfo;
      const { args } = CASES[name]!.well(stage);
      const connected = once(mute, 'connection');
      const running = start(['--nats-url', `nats://127.0.0.1:${port}`, ...args]);
      const [socket] = await connected;
      running.child.kill('SIGINT');
      const ran = await running.ended;
      socket.destroy();
      expect(ran).toMatchObject({ code: 130, out: '' });
      expect(ran.err).toMatch(/^interrupted(: .*)?\n$/);
    });
  });
});
