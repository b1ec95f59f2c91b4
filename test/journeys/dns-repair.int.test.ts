import { Resolver } from 'node:dns/promises';
import { appendFile, mkdtempDisposable, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FactReading, ManagedExecutionState } from '@orchestrate/canon';
import { tenantConfigured } from '@orchestrate/contracts';
import { type Broker, encode } from '@orchestrate/messaging';
import { type Sandbox, startSandbox } from '@orchestrate/sandbox';
import { eventually } from '@orchestrate/test-kit';
import { describe, expect, it } from 'vitest';
import { startPlatformFixture } from './platform-fixture.ts';
import { observe, publishCertainly, tenantConfig, truthOf } from './tenant-fixture.ts';

const SERVICES = ['layer-runtime', 'truth-aggregator', 'evidence-probes'].map((name) => ({ name }));
const ZONES = new URL('../../examples/outreach/zones', import.meta.url).pathname;
const EGRESS = { 'birch.example': '192.0.2.12', 'cedar.example': '192.0.2.13' };
/** Probes that are told nothing look again after a minute, and after an hour where something fails. */
const SEEN_MS_MAX = 20_000;

describe('a sending domain in the sandbox', () => {
  it('follows its zone file: no DMARC record, the record appended, the delivered proof', async () => {
    await using world = await startWorld();
    const { broker, sandbox } = world;
    await configure(broker, 'birch', 'birch.example');
    const failing = await domainIn(broker, 'birch', 'client_action');
    expect(failing.get('dmarc')).toMatchObject({ verdict: 'fail', reason: 'dmarc_none' });
    for (const fact of ['spf', 'dkim']) expect(failing.get(fact)).toMatchObject({ verdict: 'pass' });

    const record = '_dmarc IN TXT "v=DMARC1; p=reject; rua=mailto:dmarc@birch.example"';
    await appendFile(join(sandbox.zonesDir, 'birch.example.zone'), `\n${record}\n`);
    const repaired = await domainIn(broker, 'birch', 'provisioning');
    expect(repaired.get('dmarc')).toMatchObject({ verdict: 'pass', value: 'present' });
    expect(repaired.get('alignment')).toMatchObject({ verdict: 'unknown', reason: 'no_delivered_proof' });

    await prove(broker, 'birch');
    await domainIn(broker, 'birch', 'ready');
    expect(sandbox.problems()).toEqual([]);
  });

  it('is unknown while its name servers keep silent, and nobody is blamed; it heals when they answer [L2 L7]', async () => {
    await using world = await startWorld();
    const { broker, sandbox } = world;
    const silence = join(sandbox.zonesDir, 'cedar.example.silent');
    await writeFile(silence, '');
    await eventually('the name servers keep silent', () => isSilent(sandbox, 'cedar.example'));
    await configure(broker, 'cedar', 'cedar.example');
    const silent = await domainIn(broker, 'cedar', 'unknown', 'timeout');
    for (const fact of ['spf', 'dkim', 'dmarc']) {
      expect(silent.get(fact)).toMatchObject({ verdict: 'unknown', reason: 'timeout', observedAtMs: null });
    }

    await rm(silence);
    const answering = await domainIn(broker, 'cedar', 'provisioning');
    for (const fact of ['spf', 'dkim', 'dmarc'])
      expect(answering.get(fact)).toMatchObject({ verdict: 'pass' });

    await prove(broker, 'cedar');
    await domainIn(broker, 'cedar', 'ready');
  });
});

interface World extends AsyncDisposable {
  readonly broker: Broker;
  readonly sandbox: Sandbox;
}

/** A platform whose outside world is a sandbox with the zones of the example. */
async function startWorld(): Promise<World> {
  await using opened = new AsyncDisposableStack();
  const folder = opened.use(await mkdtempDisposable(join(tmpdir(), 'orchestrate-sandbox-')));
  const sandbox = opened.use(await startSandbox({ zonesFrom: ZONES, dataDir: folder.path }));
  const { broker } = opened.use(await startPlatformFixture({ services: SERVICES, env: sandbox.environment }));
  const all = opened.move();
  return { broker, sandbox, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

async function configure(broker: Broker, tenantId: string, name: keyof typeof EGRESS): Promise<void> {
  const config = tenantConfig(tenantId);
  const [domain] = config.domains;
  const domains = [{ ...domain!, name, egressIp: EGRESS[name] }];
  const data = encode(tenantConfigured, { ...config, domains });
  await publishCertainly(broker, tenantConfigured.subject(tenantId), data);
}

/** What we sent was delivered, and verified by ourselves: no look at DNS can prove that. */
function prove(broker: Broker, tenantId: string): Promise<void> {
  const facts = { alignment: 'aligned', oneClickSigned: true };
  return observe(broker, tenantId, 'sending_domain', 'main', facts);
}

/** Resolves with the facts of the domain, by name, once it is in that state, and for that reason where one is given. */
function domainIn(
  broker: Broker,
  tenantId: string,
  state: ManagedExecutionState,
  reason?: string,
): Promise<ReadonlyMap<string, FactReading>> {
  const wanted = reason === undefined ? state : `${state} for ${reason}`;
  return eventually(
    `a domain of ${tenantId} that is ${wanted}`,
    async () => {
      const layer = (await truthOf(broker, tenantId))?.layers.sending_domain;
      const [source] = layer?.sources ?? [];
      if (!source || source.state !== state || (reason !== undefined && source.reason !== reason)) {
        throw new Error(`it is ${source?.state} for ${source?.reason}`);
      }
      return new Map(source.facts.map((fact) => [fact.fact, fact]));
    },
    SEEN_MS_MAX,
  );
}

async function isSilent(sandbox: Sandbox, name: string): Promise<boolean> {
  const resolver = new Resolver({ timeout: 200, tries: 1 });
  resolver.setServers([sandbox.dnsAddress]);
  const code = await resolver.resolveSoa(name).then(
    () => null,
    (error: NodeJS.ErrnoException) => error.code,
  );
  return code === 'ETIMEOUT';
}
