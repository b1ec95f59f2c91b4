import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@orchestrate/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PlatformFixture, startPlatformFixture } from '../journeys/platform-fixture.ts';
import { OUTREACH, run as runCommand } from './run-command.ts';

const orchestrate = (natsUrl: string, ...args: string[]) => runCommand(['--nats-url', natsUrl, ...args]);

describe('files at the command line', () => {
  let fixture: PlatformFixture;
  let folder: string;
  const run = (...args: string[]) => orchestrate(fixture.platform.natsUrl, ...args);
  const file = async (name: string, text: string) => {
    await writeFile(join(folder, name), text);
    return join(folder, name);
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'orchestrate-files-'));
    fixture = await startPlatformFixture({
      services: [{ name: 'layer-runtime' }, { name: 'truth-aggregator' }, { name: 'dispatch-governance' }],
    });
  });
  afterAll(async () => {
    await fixture[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  it('takes a tenant from its file to decisions on its leads', async () => {
    const applied = await run('tenant', 'apply', join(OUTREACH, 'tenants', 'grove.yaml'));
    expect(applied).toMatchObject({ code: 0, err: '' });
    expect(applied.out).toContain('grove applied');
    const observed = await run('evidence', 'apply', join(OUTREACH, 'evidence', 'grove.yaml'));
    expect(observed).toMatchObject({ code: 0, err: '' });
    const seen = await eventually('nine rows with an unknown domain', async () => {
      const readiness = await run('readiness', 'grove');
      return readiness.out.includes('honest unknowns') && readiness.out.includes('never_observed')
        ? readiness
        : null;
    });
    expect(seen.out).toMatch(/^sending_domain\s+orchestrate\s+○ \w+\s+orchestrate_working/m);
    const dispatched = await run(
      '--json',
      'dispatch',
      'grove',
      '--leads',
      join(OUTREACH, 'leads', 'grove.csv'),
    );
    const summary = JSON.parse(dispatched.out);
    expect(summary).toMatchObject({ tenantId: 'grove', requested: 38, already: 0, waiting: 0 });
    expect(summary.decisions).toMatchObject({ APPROVE: 0, DEGRADE_AND_APPROVE: 0 });
    const decisions = await run('--json', 'decisions', 'grove', '--last', '3');
    expect(decisions.out.trim().split('\n')).toHaveLength(3);
  });

  it('names the file, the line and the word of a typo in a tenant file, and applies nothing', async () => {
    const path = await file('typo.yaml', 'tenant: typo\ngovernence: { mode: autonomous }\n');
    const ran = await run('tenant', 'apply', path);
    expect(ran.code).toBe(4);
    expect(ran.err).toContain(`${path}:2:`);
    expect(ran.err).toContain('governence');
    expect((await run('--json', 'tenant', 'list')).out).not.toContain('"typo"');
  });

  it('names the line of a fact whose value is outside its list, and of an unknown layer', async () => {
    const value = await file(
      'value.yaml',
      'tenant: grove\nevidence:\n  - layer: billing\n    source: main\n    facts:\n      subscriptionStatus: shiny\n',
    );
    const refused = await run('evidence', 'apply', value);
    expect(refused.code).toBe(4);
    expect(refused.err).toContain(`${value}:6:`);
    expect(refused.err).toContain('past_due');
    const layer = await file(
      'layer.yaml',
      'tenant: grove\nevidence:\n  - layer: weather\n    source: main\n    facts: { sun: true }\n',
    );
    const unknown = await run('evidence', 'apply', layer);
    expect(unknown.code).toBe(4);
    expect(unknown.err).toContain(`${layer}:3:`);
  });

  it('lists the broken rows of a CSV by their line and takes the others', async () => {
    const path = await file(
      'leads.csv',
      'email,firstName\nann@a.example,Ann\nnot an address,Bob\ncy@a.example,Cy,too,many\ndi@a.example,Di\n',
    );
    const ran = await run('leads', 'import', path, '--tenant', 'grove');
    expect(ran.code).toBe(0);
    expect(ran.out).toContain('2 accepted');
    expect(ran.out).toContain(`${path}:3`);
    expect(ran.out).toContain(`${path}:4`);
  });

  it('refuses an id with a dot or a star with the rule', async () => {
    for (const id of ['acme.corp', 'acme*']) {
      const ran = await run('tenant', 'apply', await file('id.yaml', `tenant: "${id}"\n`));
      expect(ran.code).toBe(4);
      expect(ran.err).toMatch(/no dot, star or space/);
    }
  });

  it('says in one sentence that a tenant is not there, that a command is not known and that no server answers', async () => {
    const nobody = await run('readiness', 'nobody');
    expect(nobody).toMatchObject({ code: 5, out: '' });
    expect(nobody.err.trim()).toBe('there is no tenant `nobody`: apply its tenant file first');
    expect((await run('frobnicate')).code).toBe(2);
    const nowhere = await orchestrate('nats://127.0.0.1:1', 'tenant', 'list');
    expect(nowhere.code).toBe(3);
    expect(nowhere.err).toContain('cannot reach nats-server at nats://127.0.0.1:1');
    expect(nowhere.err).not.toMatch(/^\s+at /m);
  });
});
