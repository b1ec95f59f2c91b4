import { readFileSync } from 'node:fs';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PARTITIONS } from '@orchestrate/canon';
import { tenantConfigured } from '@orchestrate/contracts';
import type { Platform } from '@orchestrate/embedded';
import { encode } from '@orchestrate/messaging';
import { startSandbox } from '@orchestrate/sandbox';
import { decision, eventually, publishDecision } from '@orchestrate/test-kit';
import { describe, expect, it } from 'vitest';
import { startPlatformFixture } from './platform-fixture.ts';
import { type Scrape, scrape } from './scrape.ts';
import { publishCertainly, tenantConfig } from './tenant-fixture.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
const PARTITIONED = ['layer-runtime', 'truth-aggregator', 'dispatch-governance'];
const ALL = [...PARTITIONED, 'evidence-probes', 'reference-sender'];
const PAGE = readFileSync(join(ROOT, 'docs/reference/metrics.md'), 'utf8');

/** The rows of the sections of the page whose headings name the service, or all services. */
function rowsFor(service: string) {
  const sections = PAGE.split('\n## ').filter((section) => {
    const [heading = ''] = section.split('\n');
    return ['Every service', 'The process'].includes(heading) || heading.split(', ').includes(service);
  });
  const rows = sections.join('\n').matchAll(/^\| `(\w+)` \| (\w+) \| (?:`(\w+)`)? ?\| (.+) \|$/gm);
  return new Map([...rows].map(([, name, kind, label, help]) => [name!, { kind, label, help }] as const));
}

function shownBy({ families }: Scrape) {
  return new Map(
    [...families].map(([name, { kind, labels, help }]) => {
      const [label] = name === 'target_info' ? [] : labels;
      return [name, { kind, label, help }] as const;
    }),
  );
}

const scrapes = (platform: Platform, instance: string, holds: (seen: Scrape) => boolean | undefined) =>
  eventually(`${instance} shows it`, async () => {
    const seen = await scrape(platform, instance);
    return holds(seen) && seen;
  });

const kill = (platform: Platform, instance: string, signal: NodeJS.Signals) =>
  process.kill(platform.supervisor.list().find((one) => one.instance === instance)!.pid!, signal);

it('every service shows what the page says, and nothing else; what happens moves it', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'orchestrate-sandbox-'));
  await using sandbox = await startSandbox({
    zonesFrom: join(ROOT, 'examples/outreach/zones'),
    dataDir: folder.path,
  });
  await using fixture = await startPlatformFixture({
    services: ALL.map((name) => ({ name })),
    env: sandbox.environment,
  });
  const { broker, platform } = fixture;
  for (const name of PARTITIONED) {
    await scrapes(platform, `${name}-1`, (seen) => {
      const marks = seen.values('orchestrate_mark_age_seconds');
      return marks.length === PARTITIONS && Math.max(...marks) < 10;
    });
  }
  for (const name of ALL) {
    const seen = await scrape(platform, `${name}-1`);
    expect(shownBy(seen), name).toEqual(rowsFor(name));
    expect(seen.value('target_info', { service_name: name, service_instance_id: `${name}-1` })).toBe(1);
    expect(seen.value('orchestrate_healthy')).toBe(1);
    expect(seen.value('process_resident_memory_bytes')).toBeGreaterThan(1e7);
    expect(Math.max(...seen.values('orchestrate_rejected_inputs_total'))).toBe(0);
  }

  // A domain without a DMARC record, an input that is none, and a release whose recipient nobody knows.
  const config = tenantConfig('birch');
  const domains = [{ ...config.domains[0]!, name: 'birch.example', egressIp: '192.0.2.12' }];
  const data = encode(tenantConfigured, { ...config, domains });
  await publishCertainly(broker, tenantConfigured.subject('birch'), data);
  await publishCertainly(broker, 'evidence.acme.billing.main', Buffer.from('{'));
  await publishDecision(broker, decision({ tenantId: 'loner' }));

  const probes = await scrapes(
    platform,
    'evidence-probes-1',
    (seen) => (seen.value('orchestrate_probes_answered_total', { verdict: 'fail' }) ?? 0) > 0,
  );
  expect(probes.value('orchestrate_probes_started_total', { probe: 'dns' })).toBeGreaterThan(0);
  expect(probes.value('orchestrate_sources_watched', { probe: 'dns' })).toBe(1);
  expect(probes.value('orchestrate_evidence_total', { result: 'stored' })).toBeGreaterThan(0);

  const layers = await scrapes(platform, 'layer-runtime-1', (seen) => {
    return seen.value('orchestrate_rejected_inputs_total', { reason: 'contract_violation' }) === 1;
  });
  expect(layers.value('orchestrate_rejected_inputs_total', { reason: 'handler_fault' })).toBe(0);
  expect(layers.value('orchestrate_inputs_handled_total', { stream: 'EVIDENCE' })).toBeGreaterThan(0);
  expect(layers.value('orchestrate_publishes_total', { answer: 'stored' })).toBeGreaterThan(PARTITIONS);

  const sender = await scrapes(platform, 'reference-sender-1', (seen) => {
    return seen.value('orchestrate_sends_settled_total', { state: 'not_sent' }) === 1;
  });
  expect(sender.value('orchestrate_sends_claimed_total')).toBe(1);
  expect(sender.value('orchestrate_consumer_lag_messages', { stream: 'DECISIONS' })).toBe(0);
});

describe('an accident shows', () => {
  it('a layer-runtime that stands in the mark age of its reader, also of one that starts anew, until it goes on', async () => {
    await using fixture = await startPlatformFixture({ services: PARTITIONED.map((name) => ({ name })) });
    const { platform } = fixture;
    const ages = (seen: Scrape) => seen.values('orchestrate_mark_age_seconds');
    const isFresh = (seen: Scrape) => ages(seen).length === PARTITIONS && Math.max(...ages(seen)) < 10;
    await scrapes(platform, 'truth-aggregator-1', isFresh);
    kill(platform, 'layer-runtime-1', 'SIGSTOP');
    const isOld = (seen: Scrape) => ages(seen).length === PARTITIONS && Math.min(...ages(seen)) > 10;
    await scrapes(platform, 'truth-aggregator-1', isOld);
    await platform.supervisor.kill('truth-aggregator-1');
    const reborn = await scrapes(platform, 'truth-aggregator-1', isOld);
    expect(reborn.value('orchestrate_partitions_taken_total')).toBe(PARTITIONS);
    kill(platform, 'layer-runtime-1', 'SIGCONT');
    await scrapes(platform, 'truth-aggregator-1', isFresh);
  });

  it('two owners at once in the conflicts of the one that had stood', async () => {
    const services = ['layer-runtime', 'layer-runtime'].map((name) => ({ name }));
    await using fixture = await startPlatformFixture({ services });
    const { platform } = fixture;
    const owned = (seen: Scrape) => seen.value('orchestrate_partitions_owned');
    await scrapes(platform, 'layer-runtime-2', (seen) => {
      const count = owned(seen) ?? 0;
      return count > 0 && count < PARTITIONS && seen.values('orchestrate_mark_age_seconds').length === count;
    });
    const before = await scrape(platform, 'layer-runtime-1');
    expect(before.value('orchestrate_partition_conflicts_total')).toBe(0);
    expect(owned(before)).toBeGreaterThan(0);

    kill(platform, 'layer-runtime-1', 'SIGSTOP');
    const stoppedAtMs = Date.now();
    await scrapes(platform, 'layer-runtime-2', (seen) => {
      const marks = seen.values('orchestrate_mark_age_seconds');
      return marks.length === PARTITIONS && Math.max(...marks) * 1_000 < Date.now() - stoppedAtMs;
    });
    kill(platform, 'layer-runtime-1', 'SIGCONT');
    const after = await scrapes(platform, 'layer-runtime-1', (seen) => {
      return (seen.value('orchestrate_partition_conflicts_total') ?? 0) > 0;
    });
    expect(after.value('orchestrate_publishes_total', { answer: 'conflict' })).toBeGreaterThan(0);
    expect(after.value('orchestrate_partitions_lost_total')).toBeGreaterThanOrEqual(
      after.value('orchestrate_partition_conflicts_total')!,
    );
    const other = await scrapes(platform, 'layer-runtime-2', (seen) => {
      const count = owned(seen)!;
      return count < PARTITIONS && seen.values('orchestrate_mark_age_seconds').length === count;
    });
    expect(other.value('orchestrate_partitions_released_total')).toBeGreaterThan(0);
  });
});
