import { randomUUID } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { digestOfBytes, partitionOf } from '@orchestrate/canon';
import {
  importLeads,
  type OffboardTenant,
  offboardTenant,
  readTenantConfig,
  readTenants,
  requestDispatches,
} from '@orchestrate/client';
import {
  type InterventionRecorded,
  interventionRecorded,
  layerMarked,
  ledgerMarked,
  type StreamName,
  tenantOffboarded,
  truthMarked,
  VERSION,
} from '@orchestrate/contracts';
import { type Broker, encode, readLast, readStored } from '@orchestrate/messaging';
import { eventually, onConsumer } from '@orchestrate/test-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type PlatformFixture, startPlatformFixture } from './platform-fixture.ts';
import {
  chainOf,
  command,
  configure,
  decided,
  decisions,
  expectUnbroken,
  observe,
  observeAll,
  publishCertainly,
  readyTruth,
  rejections,
  reportSent,
  request,
  truthOf,
} from './tenant-fixture.ts';
import { readWholeStore, setUpFromFiles } from './whole-store.ts';

const LEAVER = 'leaver';
const P = partitionOf(LEAVER);
/** A tenant of the same partition: whatever is done to one must not reach the other. */
const NEIGHBOUR = Array.from({ length: 10_000 }, (_, n) => `neighbour-${n}`).find(
  (id) => partitionOf(id) === P,
)!;
const SERVICES = ['layer-runtime', 'truth-aggregator', 'dispatch-governance', 'evidence-probes'];
const MARKS = [
  ['LAYERS', layerMarked.subject(P)],
  ['TRUTH', truthMarked.subject(P)],
  ['LEDGER', ledgerMarked.subject(P)],
] as const;

let fixture: PlatformFixture;
let broker: Broker;
beforeEach(async () => {
  fixture = await startPlatformFixture({
    services: SERVICES.map((name) => ({ name })),
    // Nobody answers there: what the probes see is unknown, which overwrites no fresh answer.
    env: { DNS_SERVERS: '127.0.0.1:9', DNS_TIMEOUT_MS: '100', DNS_TRIES: '1', DNS_UNKNOWN_RETRY_SEC: '1' },
  });
  broker = fixture.broker;
});
afterEach(async () => {
  for (const { pid } of fixture.platform.supervisor.list()) if (pid) process.kill(pid, 'SIGCONT');
  await fixture[Symbol.asyncDispose]();
});

const offboard = (change: Partial<OffboardTenant> = {}) =>
  offboardTenant(broker, { tenantId: LEAVER, actor: 'olga', reasonCode: 'client_request', ...change });

const signal = (name: string, kind: 'SIGSTOP' | 'SIGCONT') =>
  process.kill(fixture.platform.supervisor.list().find((one) => one.name === name)!.pid!, kind);

/** Asks for each lead of its list, and gives the dispatches. */
async function askForAll(tenantId: string, leads: Awaited<ReturnType<typeof setUpFromFiles>>['leads']) {
  const config = (await readTenantConfig(broker, tenantId))!;
  const campaign = { campaign: 'spring', step: 1, importSource: 'list', requestedBy: 'test' };
  return (await requestDispatches(broker, { tenantId, leads, config, ...campaign })).dispatchIds;
}

async function lastDecisions(tenantId: string) {
  return new Map((await decisions(broker, tenantId)).map((one) => [one.dispatchId, one]));
}

const interventions = async (tenantId: string) =>
  (await chainOf(broker, tenantId)).filter(({ record }) => record.kind === 'INTERVENTION');

/** Resolves when each of the three has told anew how far it is. */
async function nextMarks(): Promise<void> {
  const heads = () =>
    Promise.all(MARKS.map(async ([stream, at]) => (await readLast(broker, stream, at))?.seq ?? 0));
  const before = await heads();
  await eventually('a mark of each', async () => (await heads()).every((seq, index) => seq > before[index]!));
}

async function countOf(stream: StreamName, filter: string): Promise<number> {
  let count = 0;
  for await (const _ of readStored(broker, { stream, filters: [filter], fromSeq: 1 })) count++;
  return count;
}

async function secretOf(tenantId: string): Promise<string> {
  const bucket = await broker.kvm.open('RECIPIENTS');
  return (await bucket.get(`key.${tenantId}`))!.string();
}

/** Whether the server's own files hold these bytes, reachable or not. */
function isOnDisk(text: string): boolean {
  const files = globSync('**/*.blk', { cwd: fixture.platform.dataDir });
  expect(files.length).toBeGreaterThan(0);
  return files.some((file) => readFileSync(join(fixture.platform.dataDir, file)).includes(text));
}

/** Where anything stands that is about this tenant, by its subject. */
async function placesAbout(tenantId: string): Promise<string[]> {
  const about = (await readWholeStore(broker)).filter(({ subject }) => subject.split('.').includes(tenantId));
  return [
    ...new Set(about.map(({ stream, subject }) => `${stream} ${subject.split('.').slice(3).join('.')}`)),
  ].sort();
}

async function streamsWith(word: string): Promise<string[]> {
  const found = (await readWholeStore(broker)).filter((kept) =>
    `${kept.subject} ${kept.text}`.includes(word),
  );
  return [...new Set(found.map(({ stream }) => stream))].sort();
}

/** That the neighbour moved proves that what came before in each stream has been read. */
async function neighbourMoves(plan: 'canceled' | 'active'): Promise<void> {
  await observe(broker, NEIGHBOUR, 'billing', 'main', { subscriptionStatus: plan });
  await eventually(`the truth of the neighbour says ${plan}`, async () => {
    const billing = (await truthOf(broker, NEIGHBOUR))?.layers.billing.state;
    return billing === (plan === 'active' ? 'ready' : 'client_action');
  });
}

describe('a tenant that leaves', () => {
  it('is stopped, forgotten and erased, keeps its unbroken chain, and nothing brings it back [A15]', async () => {
    const planted = 'quetzalcoatl';
    const list = await setUpFromFiles(broker, LEAVER, { planted, capPerDay: 1, leads: 5 });
    const other = await setUpFromFiles(broker, NEIGHBOUR, { planted: 'xiuhcoatl', capPerDay: 50, leads: 5 });
    for (const tenantId of [LEAVER, NEIGHBOUR]) await observeAll(broker, tenantId);
    for (const tenantId of [LEAVER, NEIGHBOUR]) await readyTruth(broker, tenantId);
    const dispatchIds = await askForAll(LEAVER, list.leads);
    const [released, ...held] = dispatchIds;
    await eventually('one is released, four are held', async () => {
      const kinds = dispatchIds.map(async (id) => (await lastDecisions(LEAVER)).get(id)?.kind ?? '');
      return (await Promise.all(kinds)).join() === `APPROVE${',HOLD_FOR_REPUTATION'.repeat(4)}`;
    });
    await publishCertainly(
      broker,
      `evidence.${LEAVER}.billing.main`,
      Buffer.from(`{"mail":"${planted}@x.example"}`),
    );
    await eventually('what was wrong is kept', async () => (await rejections(broker)).length === 1);
    const condition = (await readLast(broker, 'LAYERS', `layer.${P}.${LEAVER}.billing.main`))!;
    const config = (await readLast(broker, 'CONFIG', `config.${P}.${LEAVER}.tenant`))!;
    await nextMarks();
    expect(await streamsWith(planted)).toEqual(['EVIDENCE', 'KV_RECIPIENTS', 'REJECTED']);
    const before = await placesAbout(LEAVER);
    for (const stream of [
      'SUPPRESSIONS',
      'CONFIG',
      'REQUESTS',
      'LAYERS',
      'LEDGER',
      'EVIDENCE',
      'KV_RECIPIENTS',
    ]) {
      expect([stream, before.some((place) => place.startsWith(stream))]).toEqual([stream, true]);
    }
    const ofNeighbour = await placesAbout(NEIGHBOUR);
    const [secret, secretOfNeighbour] = await Promise.all([secretOf(LEAVER), secretOf(NEIGHBOUR)]);
    expect(isOnDisk(secret)).toBe(true);

    const steps: string[] = [];
    const report = await offboard({ onProgress: ({ step, left }) => void steps.push(`${step} ${left}`) });
    expect(steps).toEqual(expect.arrayContaining(['record 0', 'holds 0', 'services 0', 'erasure 0']));
    // 1 key, 5 leads, 1 content, 1 mailbox
    expect(report).toMatchObject({
      tenantId: LEAVER,
      already: false,
      erased: { RECIPIENTS: 8, SUPPRESSIONS: 1 },
    });
    expect(report.erased).toMatchObject({ CONFIG: 1, REQUESTS: 5, REJECTED: 1 });
    for (const count of Object.values(report.erased)) expect(count).toBeGreaterThan(0);
    expect(report.kept).toMatchObject({ OPERATOR: 1, OUTCOMES: 0, LEDGER: 1 });
    expect(report.kept.DECISIONS).toBe((await chainOf(broker, LEAVER)).length);
    expect(report.kept.TRUTH).toBeGreaterThan(0);

    // Its holds have ended, each once, after the record and before anything else.
    const chain = await chainOf(broker, LEAVER);
    const records = chain.map(({ record }) => record);
    const act = records.findIndex((record) => record.kind === 'INTERVENTION');
    expect(records[act]).toMatchObject({
      command: 'offboard',
      actor: 'olga',
      ordinal: report.interventionOrdinal,
    });
    const ended = records.slice(act + 1) as { kind: string; dispatchId: string; decidingOutcome: string }[];
    expect(ended).toHaveLength(held.length);
    expect(new Set(ended.map((one) => one.dispatchId))).toEqual(new Set(held));
    for (const one of ended)
      expect(one).toMatchObject({ kind: 'BLOCK', decidingOutcome: 'tenant_offboarded' });

    // Nothing is left of it but its records, what they cite and the end of its chain.
    const kept = [
      'CONFIG offboarded',
      'DECISIONS APPROVE',
      'DECISIONS BLOCK',
      'DECISIONS HOLD_FOR_REPUTATION',
      'DECISIONS INTERVENTION',
      'LEDGER state',
      'OPERATOR offboard',
      'TRUTH ',
    ];
    expect(await placesAbout(LEAVER)).toEqual(kept);
    expect(await streamsWith(planted)).toEqual([]);
    expect(await streamsWith('xiuhcoatl')).toEqual(['KV_RECIPIENTS']);
    expect(await placesAbout(NEIGHBOUR)).toEqual(ofNeighbour);
    expect([isOnDisk(secret), isOnDisk(secretOfNeighbour)]).toEqual([false, true]);
    expect(await readTenants(broker)).toEqual([NEIGHBOUR]);

    // What is asked later is blocked, and the outcome of what was already on its way is still recorded.
    await request(broker, LEAVER, 1);
    const late = { kind: 'BLOCK', decidingOutcome: 'tenant_offboarded', truth: null, fresh: false } as const;
    expect((await decided(broker, LEAVER, 1, late)).recipient.suppression).toBe('unknown');
    await fixture.platform.supervisor.kill('dispatch-governance-1');
    await reportSent(
      broker,
      chain.find(({ record }) => (record as { dispatchId?: string }).dispatchId === released)!,
    );
    await eventually('the outcome is on record', async () => {
      const last = (await chainOf(broker, LEAVER)).at(-1)!.record;
      return last.kind === 'OUTCOME' && last.dispatchId === released && last.state === 'sent';
    });

    // What still arrives about it is nobody's business and nobody's fault.
    const truths = report.kept.TRUTH;
    const comeBack = async () => {
      await publishCertainly(broker, `config.${LEAVER}.tenant`, config.data);
      await observeAll(broker, LEAVER);
      await publishCertainly(broker, condition.subject, condition.data);
      await command(broker, LEAVER, 'freeze');
    };
    const expectGone = async (n: number) => {
      await neighbourMoves('canceled');
      await neighbourMoves('active');
      await nextMarks();
      await request(broker, LEAVER, n);
      await decided(broker, LEAVER, n, late);
      expect(await countOf('TRUTH', `truth.${P}.${LEAVER}`)).toBe(truths);
      expect((await placesAbout(LEAVER)).filter((place) => /^LEDGER|^KV_/.test(place))).toEqual([
        'LEDGER state',
      ]);
      expect(await readTenants(broker)).toEqual([NEIGHBOUR]);
    };
    const arrived = await countOf('EVIDENCE', `evidence.${P}.${LEAVER}.*.*`);
    const expectOnlyOurs = async (times: number) => {
      expect(await countOf('LAYERS', `layer.${P}.${LEAVER}.*.*`)).toBe(times);
      expect(await countOf('EVIDENCE', `evidence.${P}.${LEAVER}.*.*`)).toBe(arrived + times * 6);
    };
    await comeBack();
    await expectGone(2);
    await expectOnlyOurs(1);
    expect(fixture.log.filter((line) => line.includes('partition lost'))).toEqual([]);

    for (const [index, name] of SERVICES.entries()) {
      await fixture.platform.supervisor.kill(`${name}-1`);
      await eventually(`${name} runs again`, () =>
        fixture.platform.supervisor.list().some((one) => one.name === name && one.state === 'running'),
      );
      await comeBack();
      await expectGone(10 + index);
      await expectOnlyOurs(2 + index);
    }
    expect(await rejections(broker)).toEqual([]);

    for (const dispatchId of await askForAll(NEIGHBOUR, other.leads)) {
      await eventually('the neighbour may send', async () => {
        return (await lastDecisions(NEIGHBOUR)).get(dispatchId)?.kind === 'APPROVE';
      });
    }

    // Again: it finds what came in between and says that the tenant had left.
    const again = await offboard();
    expect(again).toMatchObject({ already: true, interventionOrdinal: report.interventionOrdinal });
    expect(again).toMatchObject({ offboardedAtMs: report.offboardedAtMs, erased: { CONFIG: 5, LAYERS: 5 } });
    const third = await offboard();
    expect(third.already).toBe(true);
    expect(new Set(Object.values(third.erased))).toEqual(new Set([0]));
    const final = await chainOf(broker, LEAVER);
    expectUnbroken(final);
    expect(
      final.filter(({ record }) => (record as { command?: string }).command === 'offboard'),
    ).toHaveLength(1);
    expectUnbroken(await chainOf(broker, NEIGHBOUR));
  }, 180_000);

  it('gives its id to nobody else', async () => {
    await setUpFromFiles(broker, LEAVER, { planted: 'quetzalcoatl', capPerDay: 1, leads: 1 });
    const { offboardedAtMs } = await offboard();
    const day = new Date(offboardedAtMs).toISOString().slice(0, 10);
    const sentence = `\`leaver\` was offboarded on ${day}: its id is not given out again, choose another`;
    const again = setUpFromFiles(broker, LEAVER, { planted: 'tlaloc', capPerDay: 1, leads: 1 });
    await expect(again).rejects.toThrow(sentence);
    const leads = importLeads(broker, { tenantId: LEAVER, importId: 'list', file: 'leads.csv' });
    await expect(leads).rejects.toThrow(sentence);
    expect(await streamsWith('tlaloc')).toEqual([]);
    expect(await streamsWith('quetzalcoatl')).toEqual([]);
  });
});

describe('an import that is running while its tenant leaves', () => {
  it('erases what it wrote, and says why', async () => {
    let tombstone: Promise<number> | undefined;
    const onProgress = () => {
      tombstone ??= publishCertainly(
        broker,
        tenantOffboarded.subject(LEAVER),
        encode(tenantOffboarded, {
          v: VERSION,
          id: randomUUID(),
          tenantId: LEAVER,
          causedBy: null,
          actor: 'olga',
          reasonCode: 'legal',
          interventionOrdinal: 1,
          offboardedAtMs: Date.parse('2026-03-02T10:00:00Z'),
        }),
      );
    };
    const wishes = { planted: 'quetzalcoatl', capPerDay: 1, leads: 20, onProgress };
    await expect(setUpFromFiles(broker, LEAVER, wishes)).rejects.toThrow(
      '`leaver` was offboarded on 2026-03-02: its id is not given out again, choose another',
    );
    expect(tombstone).toBeDefined();
    expect(await streamsWith('quetzalcoatl')).toEqual([]);
    expect((await placesAbout(LEAVER)).filter((place) => /^(CONFIG|KV_RECIPIENTS|SUPP)/.test(place))).toEqual(
      ['CONFIG offboarded'],
    );
  });
});

describe('an offboarding that is interrupted', () => {
  it('says who does not answer, and the same call finishes it, with one record [A15]', async () => {
    const list = await setUpFromFiles(broker, LEAVER, { planted: 'quetzalcoatl', capPerDay: 1, leads: 3 });
    await observeAll(broker, LEAVER);
    await readyTruth(broker, LEAVER);
    await askForAll(LEAVER, list.leads);
    await eventually('all are decided', async () => (await lastDecisions(LEAVER)).size === 3);
    await setUpFromFiles(broker, NEIGHBOUR, { planted: 'xiuhcoatl', capPerDay: 50, leads: 1 });
    await observeAll(broker, NEIGHBOUR);
    await readyTruth(broker, NEIGHBOUR);

    signal('dispatch-governance', 'SIGSTOP');
    for (let tries = 0; tries < 2; tries++) {
      await expect(offboard({ waitMs: 500 })).rejects.toThrow(
        /^dispatch-governance has not recorded that `leaver` leaves within 0\.5 s: is dispatch-governance up\?/,
      );
    }
    expect(await streamsWith('quetzalcoatl')).toEqual(['KV_RECIPIENTS']);
    expect(await interventions(LEAVER)).toEqual([]);
    signal('dispatch-governance', 'SIGCONT');

    // layer-runtime sleeps while the tombstone is written, with evidence before its nose and its conditions purged.
    signal('layer-runtime', 'SIGSTOP');
    await expect(offboard({ waitMs: 3_000 })).rejects.toThrow(
      /^layer-runtime has not taken note that `leaver` left within 3 s: is layer-runtime up\?/,
    );
    expect(await streamsWith('quetzalcoatl')).toEqual(['KV_RECIPIENTS']);
    expect(await readTenants(broker)).toEqual([NEIGHBOUR]);
    await observe(broker, LEAVER, 'billing', 'main', { subscriptionStatus: 'canceled' });
    const { purged } = await broker.jsm.streams.purge('LAYERS', { filter: `layer.${P}.${LEAVER}.*.*` });
    expect(purged).toBeGreaterThan(8);
    signal('layer-runtime', 'SIGCONT');

    expect(await offboard()).toMatchObject({ already: true, kept: { OPERATOR: 1 } });
    expect(await streamsWith('quetzalcoatl')).toEqual([]);
    const acts = (await interventions(LEAVER)).map(({ record }) => (record as InterventionRecorded).command);
    expect(acts).toEqual(['offboard']);
    expectUnbroken(await chainOf(broker, LEAVER));
    // A conflict or two, from which it came back knowing better, and no loop of them; and then it works.
    await neighbourMoves('canceled');
    await sleep(3_000);
    expect(fixture.log.filter((line) => line.includes('partition lost')).length).toBeLessThanOrEqual(2);
    expect(await countOf('LAYERS', `layer.${P}.${LEAVER}.*.*`)).toBe(0);
  });

  it('asks once, also when governance records the command while the call looks whether it did', async () => {
    await configure(broker, LEAVER);
    signal('dispatch-governance', 'SIGSTOP');
    await expect(offboard({ waitMs: 200 })).rejects.toThrow('dispatch-governance has not recorded');
    let isResumed = false;
    const resumeOnce = async () => {
      if (isResumed) return;
      isResumed = true;
      signal('dispatch-governance', 'SIGCONT');
      await eventually('it is on record', async () => (await interventions(LEAVER)).length === 1);
      await nextMarks();
    };
    const meanwhile = onConsumer(broker, resumeOnce);
    const wishes = { tenantId: LEAVER, actor: 'olga', reasonCode: 'client_request' } as const;
    expect(await offboardTenant(meanwhile, wishes)).toMatchObject({ already: false, kept: { OPERATOR: 1 } });
    expect(isResumed).toBe(true);
    expect(await interventions(LEAVER)).toHaveLength(1);
  });

  it('ends the holds also when governance dies right after the record', async () => {
    const list = await setUpFromFiles(broker, LEAVER, { planted: 'quetzalcoatl', capPerDay: 1, leads: 50 });
    await observeAll(broker, LEAVER);
    await readyTruth(broker, LEAVER);
    const ids = await askForAll(LEAVER, list.leads);
    await eventually('all are held', async () => (await lastDecisions(LEAVER)).size === ids.length);
    signal('dispatch-governance', 'SIGSTOP');
    const commandSeq = await command(broker, LEAVER, 'offboard');
    // What the owner would have written as its last act.
    const { seq, data, record: head } = (await chainOf(broker, LEAVER)).at(-1)!;
    const record: InterventionRecorded = {
      v: VERSION,
      id: randomUUID(),
      tenantId: LEAVER,
      causedBy: `OPERATOR/${commandSeq}`,
      ordinal: head.ordinal + 1,
      prevSeq: seq,
      prevHash: digestOfBytes(data),
      codeVersion: head.codeVersion,
      kind: 'INTERVENTION',
      command: 'offboard',
      commandSeq,
      actor: 'olga',
      reasonCode: 'reviewed',
      dispatchId: null,
      target: null,
      scope: 'tenant',
      recordedAtMs: Date.now(),
    };
    await broker.publisher.publish(
      interventionRecorded.subject({ p: P, tenantId: LEAVER }),
      encode(interventionRecorded, record),
      { expect: { lastSeq: seq, subject: `decision.${P}.${LEAVER}.*` } },
    );
    await fixture.platform.supervisor.kill('dispatch-governance-1');
    expect(await offboard()).toMatchObject({ already: false, interventionOrdinal: record.ordinal });
    expect(await interventions(LEAVER)).toHaveLength(1);
    const last = [...(await lastDecisions(LEAVER)).values()].filter((one) => one.kind !== 'APPROVE');
    expect(last).toHaveLength(ids.length - 1);
    for (const one of last)
      expect(one).toMatchObject({ kind: 'BLOCK', decidingOutcome: 'tenant_offboarded' });
    const chain = await chainOf(broker, LEAVER);
    expectUnbroken(chain);
    expect(chain.filter(({ record }) => record.kind === 'BLOCK')).toHaveLength(ids.length - 1);
  });
});

describe('who cannot leave', () => {
  it('is a tenant that does not exist, or everyone at once', async () => {
    await configure(broker, NEIGHBOUR);
    await expect(offboard({ tenantId: NEIGHBOUR.replace('neigh', 'niegh') })).rejects.toThrow(
      `there is no tenant \`${NEIGHBOUR.replace('neigh', 'niegh')}\`; did you mean \`${NEIGHBOUR}\`?`,
    );
    await expect(offboard({ tenantId: '_all' })).rejects.toThrow(
      '`_all` is no tenant: tenants leave one by one',
    );
    expect(await countOf('OPERATOR', 'operator.*.*.*')).toBe(0);
  });
});
