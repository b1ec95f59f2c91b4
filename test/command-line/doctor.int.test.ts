import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DnsServer, startDnsServer } from '@orchestrate/sandbox';
import { eventually } from '@orchestrate/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PlatformFixture, startPlatformFixture } from '../journeys/platform-fixture.ts';
import { run } from './run-command.ts';

const CHECKS = 13;

interface Found {
  readonly check: string;
  readonly status: string;
  readonly remedy: string | null;
}

describe('the command doctor', () => {
  let dns: DnsServer;
  let folder: string;
  beforeAll(async () => {
    dns = await startDnsServer({ behaviours: { '.': 'refused' } });
    folder = await mkdtemp(join(tmpdir(), 'orchestrate-doctor-'));
  });
  afterAll(async () => {
    await dns.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const doctor = (...args: string[]) =>
    run(['doctor', ...args], { DNS_SERVERS: dns.address, SMTP_URL: undefined });

  async function report(...args: string[]) {
    const { code, out } = await doctor('--json', ...args);
    const document = JSON.parse(out) as { ok: boolean; findings: Found[] };
    expect(document.findings).toHaveLength(CHECKS);
    return {
      code,
      ok: document.ok,
      of: (name: string) => document.findings.find(({ check }) => check === name)!,
    };
  }

  it('examines the machine when no platform runs, and that is no failure', async () => {
    const { code, out, err } = await doctor('--data-dir', join(folder, 'none'));
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const lines = out.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^✓ ok +node +Node \d+\./);
    expect(out).toMatch(/– skipped +platform +no platform runs in .*none/);
    expect(out.match(/→ start one with `npm start`/g)).toHaveLength(1);
    expect(lines.at(-1)).toMatch(/^13 checks: \d+ ok, \d+ warnings?, 0 failures, \d+ skipped$/);
  });

  it('fails with exit code 1 and the remedy below what fails', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    const { code, out } = await doctor('--data-dir', file);
    expect(code).toBe(1);
    expect(out).toMatch(
      /✗ failure +disk_space +`.*file` is a file and not a directory\n +→ name a directory/,
    );
    expect(out).toMatch(/ 2 failures, /);
  });

  it('shows an example', async () => {
    const { code, out } = await doctor('--help');
    expect(code).toBe(0);
    expect(out).toContain('orchestrate doctor --nats-url');
  });

  describe('with the platform up', () => {
    let fixture: PlatformFixture;
    beforeAll(async () => {
      fixture = await startPlatformFixture({
        services: [{ name: 'layer-runtime' }, { name: 'truth-aggregator' }, { name: 'dispatch-governance' }],
      });
    });
    afterAll(() => fixture[Symbol.asyncDispose]());

    it('finds a whole platform well, then names the service that hangs', async () => {
      const { dataDir, supervisor } = fixture.platform;
      const whole = await eventually('every partition is marked', async () => {
        const found = await report('--data-dir', dataDir);
        return found.of('marks').status === 'ok' && found;
      });
      expect(whole).toMatchObject({ code: 0, ok: true });
      for (const name of ['clock', 'ports', 'platform', 'streams', 'rejected', 'resolver']) {
        expect(whole.of(name)).toMatchObject({ status: 'ok', remedy: null });
      }
      const { pid } = supervisor.list().find(({ name }) => name === 'truth-aggregator')!;
      process.kill(pid!, 'SIGSTOP');
      try {
        const { code, ok, of } = await report('--data-dir', dataDir);
        expect({ code, ok }).toEqual({ code: 1, ok: false });
        expect(of('platform')).toMatchObject({
          status: 'fail',
          detail: expect.stringContaining('truth-aggregator-1: its health page does not answer'),
        });
      } finally {
        process.kill(pid!, 'SIGCONT');
      }
    });

    it('fails on a stream that somebody deleted, also when the server is named', async () => {
      await fixture.broker.jsm.streams.delete('SUPPRESSIONS');
      const { code, of } = await report('--nats-url', fixture.platform.natsUrl);
      expect(code).toBe(1);
      expect(of('streams')).toMatchObject({ status: 'fail', detail: 'SUPPRESSIONS is missing' });
      expect(of('disk_space').status).toBe('skipped');
    });
  });
});
