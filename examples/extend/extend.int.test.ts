import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CANONICAL_BLOCKER_LAYERS } from '@orchestrate/canon';
import {
  applyEvidenceFile,
  applyTenantFile,
  type ImportedLead,
  importLeads,
  publishObservation,
  readBooks,
  readChain,
  readPolicyFile,
  readTenantConfig,
  readTruth,
  requestDispatches,
} from '@orchestrate/client';
import { type Platform, startPlatform } from '@orchestrate/embedded';
import { activatePolicy, type Broker, connectBroker, provisionStreams } from '@orchestrate/messaging';
import { eventually } from '@orchestrate/test-kit';
import { SMTPServer } from 'smtp-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const quickstart = (name: string) => join(ROOT, 'examples/quickstart', name);
const PEOPLE = 24;
const PASSWORD = 'right';
/** As `subscribeDecisions` does without being told. */
const DECISIONS_AT_A_TIME = 8;

let folder: string;
let platform: Platform;
let broker: Broker;
const children = new Set<ChildProcess>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'orchestrate-extend-'));
  const shipped = readPolicyFile();
  platform = await startPlatform({
    root: ROOT,
    dataDir: join(folder, 'data'),
    syncInterval: '100ms',
    services: ['layer-runtime', 'truth-aggregator', 'dispatch-governance'].map((name) => ({ name })),
    env: { CADENCE_SEC: '1' },
    prepare: async (url) => {
      await using provisioner = await connectBroker({ url, name: 'provisioner' });
      await provisionStreams(provisioner);
      await activatePolicy(provisioner, { ...shipped, pacing: { ...shipped.pacing, minGapSec: 0 } });
    },
  });
  broker = await connectBroker({ url: platform.natsUrl, name: 'test' });
  await applyTenantFile(broker, quickstart('tenant.yaml'));
});
afterAll(async () => {
  await Promise.all([...children].map(end));
  await broker.close();
  await platform.stop();
  await rm(folder, { recursive: true, force: true });
});

/** One of the two files of this folder, as a process of its own. */
function run(file: string, ...args: string[]): ChildProcess {
  const child = spawn(process.execPath, [join(import.meta.dirname, file), ...args], {
    env: { ...process.env, NATS_URL: platform.natsUrl },
    stdio: 'inherit',
  });
  children.add(child);
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  children.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill();
  await once(child, 'exit');
}

/** A mail server that lets nobody in but with the right password. */
async function startMailServer(
  port: number,
  wants: string,
): Promise<AsyncDisposable & { readonly port: number }> {
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    onAuth: ({ password, username }, _session, done) =>
      password === wants ? done(null, { user: username }) : done(new Error('no')),
  });
  server.on('error', () => {});
  await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening));
  return {
    port: (server.server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => new Promise((closed) => server.close(closed)),
  };
}

async function mailboxFact(name: string) {
  const sources = (await readTruth(broker, 'juno'))?.truth.layers.mailbox.sources ?? [];
  return sources.find(({ source }) => source === 'nora')?.facts.find(({ fact }) => fact === name);
}

const factReads = (name: string, wanted: object) =>
  eventually(`${name} to read ${JSON.stringify(wanted)}`, async () => {
    const fact = await mailboxFact(name);
    return fact && Object.entries(wanted).every(([key, value]) => fact[key as keyof typeof fact] === value);
  });

describe('the probe of thirty lines', () => {
  it('is at most thirty lines', async () => {
    for (const file of ['probe.ts', 'sender.ts']) {
      const text = await readFile(join(import.meta.dirname, file), 'utf8');
      expect(text.trimEnd().split('\n').length, file).toBeLessThanOrEqual(30);
    }
  });

  it('takes silence for an unknown, the word of the server for a yes or a no, and never silence for a no', async () => {
    const gone = await startMailServer(0, PASSWORD);
    const { port } = gone;
    await gone[Symbol.asyncDispose]();
    const probe = run('probe.ts', 'juno', 'nora', `smtp://nora:${PASSWORD}@127.0.0.1:${port}`, '1');
    for (const fact of ['canSend', 'token'])
      await factReads(fact, { verdict: 'unknown', reason: 'no_answer' });
    {
      await using _server = await startMailServer(port, PASSWORD);
      await factReads('canSend', { verdict: 'pass', value: true });
      await factReads('token', { verdict: 'pass', value: 'active' });
    }
    {
      await using _server = await startMailServer(port, 'changed');
      await factReads('canSend', { verdict: 'fail', reason: 'cannot_send', owner: 'client' });
      await factReads('token', { verdict: 'fail', reason: 'inactive_unspecified' });
    }
    await using _server = await startMailServer(port, PASSWORD);
    await factReads('canSend', { verdict: 'pass' });
    await end(probe);
  }, 60_000);

  it('leaves a fresh answer alone when the server falls silent afterwards', async () => {
    const gone = await startMailServer(0, PASSWORD);
    await gone[Symbol.asyncDispose]();
    const before = (await mailboxFact('canSend'))?.observedAtMs;
    const probe = run('probe.ts', 'juno', 'nora', `smtp://nora:${PASSWORD}@127.0.0.1:${gone.port}`, '1');
    await new Promise((later) => setTimeout(later, 3_000));
    expect(await mailboxFact('canSend')).toMatchObject({ verdict: 'pass', observedAtMs: before });
    await end(probe);
  });
});

describe('two senders of thirty lines', () => {
  it('deliver each release exactly once, and its outcome is in the chain', async () => {
    await makeReady();
    const files = ['first', 'second'].map((name) => join(folder, `${name}.jsonl`));
    files.map((file, index) => run('sender.ts', `line-${index}`, file));
    await eventually('both senders to wait for work', async () => {
      const { num_waiting } = await broker.jsm.consumers.info('DECISIONS', 'senders');
      return num_waiting === 2 * DECISIONS_AT_A_TIME;
    });
    await askForEverybody();
    const books = await eventually('every request to be decided and every release settled', async () => {
      const now = await readBooks(broker, 'juno');
      return now.effectiveDecisions === PEOPLE && now.open === 0 && now.sent > 0 ? now : null;
    });
    expect(books).toMatchObject({ released: PEOPLE, sent: PEOPLE, mismatchTotal: 0 });
    const delivered = await Promise.all(files.map(linesOf));
    for (const one of delivered) expect(one).not.toEqual([]);
    const lines = delivered.flat().map(({ dispatchId }) => dispatchId);
    const chain = await eventually('the outcomes to be in the chain', async () => {
      const records = (await readChain(broker, 'juno')).map(({ record }) => record);
      return records.filter(({ kind }) => kind === 'OUTCOME').length === PEOPLE ? records : null;
    });
    const approved = chain.flatMap((record) => (record.kind === 'APPROVE' ? [record.dispatchId] : []));
    expect(lines.toSorted()).toEqual(approved.toSorted());
    const sent = chain.flatMap((record) =>
      record.kind === 'OUTCOME' && record.state === 'sent' ? [record.dispatchId] : [],
    );
    expect(sent.toSorted()).toEqual(approved.toSorted());
  }, 60_000);
});

/** What other systems and the probes of the platform would have seen. */
async function makeReady(): Promise<void> {
  await applyEvidenceFile(broker, quickstart('evidence.yaml'));
  await applyEvidenceFile(broker, quickstart('proof.yaml'));
  const look = { tenantId: 'juno', source: 'main', observer: 'test' } as const;
  const dns = { spf: 'pass', dkim: 'valid', dmarc: 'present' };
  await publishObservation(broker, { ...look, layer: 'sending_domain', facts: dns });
  const window = { 'window.open': true, windowReason: 'in_hours' };
  await publishObservation(broker, { ...look, layer: 'continuity_window', facts: window });
}

async function askForEverybody(): Promise<void> {
  const file = join(folder, 'leads.csv');
  const rows = Array.from({ length: PEOPLE }, (_, n) => `person-${n}@north-quay.example,true,referral`);
  await writeFile(file, `email,verified,provenance\n${rows.join('\n')}\n`);
  const leads: ImportedLead[] = [];
  const onLead = (lead: ImportedLead) => leads.push(lead);
  await importLeads(broker, { tenantId: 'juno', importId: 'list', file, onLead });
  await eventually('all nine layers to be ready', async () => {
    const layers = (await readTruth(broker, 'juno'))?.truth.layers;
    return layers && CANONICAL_BLOCKER_LAYERS.every((layer) => layers[layer].state === 'ready');
  });
  const config = (await readTenantConfig(broker, 'juno'))!;
  const asked = { campaign: 'hello', step: 1, importSource: 'list', requestedBy: 'test' };
  await requestDispatches(broker, { tenantId: 'juno', leads, config, ...asked });
}

async function linesOf(file: string): Promise<{ dispatchId: string; to: string }[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
}
