import { hash, randomUUID } from 'node:crypto';
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { partitionOf } from '@orchestrate/canon';
import {
  type ConditionHead,
  conditionHeaders,
  conditionHeadFrom,
  layerMarked,
  type Mark,
  type StreamName,
  tenantConfigured,
  truthHeaders,
  truthMarked,
  truthPolicyFrom,
} from '@orchestrate/contracts';
import {
  type Broker,
  decodeLenient,
  encode,
  readHeads,
  readStored,
  type StoredHead,
} from '@orchestrate/messaging';
import type { Facts, SourceFacts } from '@orchestrate/test-kit';
import { eachInFlight, IN_FLIGHT } from './in-flight.ts';
import { MarkWatch } from './mark-watch.ts';
import { GAPLESS_POLICY, Rig, type RigOptions } from './rig.ts';
import { ROOT } from './service-process.ts';
import { copyOf } from './tenant-copies.ts';
import { declareTenants, tenantConfig, tenantNames } from './tenant-facts.ts';
import { waitFor } from './wait.ts';

const SEEDS = 40;
const DAY_MS = 86_400_000;
const STORE_AGE_MS_MAX = 7 * DAY_MS;
const SPREAD_MS = 1_800_000;
const HOME = join(ROOT, '.orchestrate/bench');
const COMPLETE = 'complete.json';

/** Nothing expires while the store is kept, so that a cadence in which nothing happens is one on every day. */
const LASTING_POLICY = {
  ...GAPLESS_POLICY,
  maxAgeSec: Object.fromEntries(
    Object.keys(GAPLESS_POLICY.maxAgeSec).map((name) => [name, (60 * DAY_MS) / 1000]),
  ) as typeof GAPLESS_POLICY.maxAgeSec,
};

/** How the seeds differ from a tenant that may send. */
const VARIANTS: readonly (readonly SourceFacts[])[] = [
  [],
  [['billing', 'main', { paymentMethod: 'expiring_30d' }]],
  [['sending_domain', 'main', { dkim: 'weak' }]],
  [['mailbox', 'anna', { canReadReplies: false }]],
  [['continuity_window', 'main', { 'window.open': false, windowReason: 'out_of_hours' }]],
  [['data', 'list', { queueReady: 0 }]],
  [['pacing', 'anna', { complaints30d: 1 }]],
  [['sending_domain', 'main', { dmarc: 'none' }]],
] satisfies [SourceFacts[0], string, Facts][][];

/** How a rig runs on such a store: a server that holds a million subjects needs more than the platform's own limit. */
export const storeOptions = (dataDir: string): RigOptions => ({
  dataDir,
  policy: LASTING_POLICY,
  memoryLimitMiB: 4096,
});

/**
 * A store with so many tenants, made once and kept: some tenants are told everything by the real services, and what
 * these wrote of them is multiplied, each copy with an id, positions and times of its own.
 */
export async function tenantStore(count: number, print: (text: string) => void): Promise<string> {
  const digest = digestOfSources();
  const directoryOf = (size: number) => join(HOME, `tenants-${digest}-${size}`);
  mkdirSync(HOME, { recursive: true });
  for (const name of readdirSync(HOME)) {
    const isOld = name.startsWith('tenants-') && !name.startsWith(`tenants-${digest}-`);
    if (isOld) rmSync(join(HOME, name), { recursive: true });
  }
  const wanted = directoryOf(count);
  if (isUsable(wanted)) return wanted;
  const begunMs = performance.now();
  const seeds = directoryOf(SEEDS);
  if (!isUsable(seeds)) await build(seeds, () => sow(seeds));
  await build(wanted, async () => {
    cpSync(seeds, wanted, { recursive: true });
    await multiply(wanted, count);
  });
  print(
    `  a store of ${count} tenants was made in ${((performance.now() - begunMs) / 1000).toFixed(0)} s and is kept\n`,
  );
  return wanted;
}

async function build(directory: string, work: () => Promise<void>): Promise<void> {
  rmSync(directory, { recursive: true, force: true });
  try {
    await work();
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
  writeFileSync(join(directory, COMPLETE), JSON.stringify({ builtAtMs: Date.now() }));
}

function isUsable(directory: string): boolean {
  const file = join(directory, COMPLETE);
  if (!existsSync(file)) return false;
  const { builtAtMs } = JSON.parse(readFileSync(file, 'utf8')) as { builtAtMs: number };
  return Date.now() - builtAtMs < STORE_AGE_MS_MAX;
}

/** Whatever could make the services write something else. */
function digestOfSources(): string {
  const patterns = ['libs/{canon,layer-machines}/src/*.ts', 'contracts/src/*.ts', 'policies/default.json'];
  const services = 'services/{layer-runtime,truth-aggregator}/src/*.ts';
  const own = '{test/benchmarks/src/live/tenant-{copies,facts,store},libs/test-kit/src/*}.ts';
  const files = globSync([...patterns, services, own], { cwd: ROOT }).filter(
    (file) => !file.endsWith('.test.ts'),
  );
  const contents = files.sort().map((file) => `${file}\n${readFileSync(join(ROOT, file), 'utf8')}`);
  return hash('sha256', contents.join('\n'), 'hex').slice(0, 12);
}

const SEED_NAMES = tenantNames(SEEDS, 's');

async function sow(dataDir: string): Promise<void> {
  await using rig = await Rig.start({ ...storeOptions(dataDir), markEverySec: 1 });
  await rig.startServices(['layer-runtime', 'truth-aggregator']);
  await using marks = await MarkWatch.start(rig.broker);
  const told = await declareTenants(rig.broker, SEED_NAMES, (n) => VARIANTS[n % VARIANTS.length]!);
  await waitFor('truths of the seeds', () =>
    [...told.byPartition].every(([p, seq]) => marks.reflects(p, seq)),
  );
}

/** Tenants of such a store that may send, by the names of their copies. */
export const readyTenants = (count: number): readonly string[] =>
  tenantNames(count - SEEDS).filter((_, n) => n % VARIANTS.length === 0);

interface Seed {
  readonly conditions: readonly {
    readonly subject: string;
    readonly text: string;
    readonly head: ConditionHead;
  }[];
  readonly truth: { readonly text: string; readonly policyDigest: string };
}

async function multiply(dataDir: string, count: number): Promise<void> {
  await using rig = await Rig.start(storeOptions(dataDir));
  const { broker } = rig;
  const seeds = await readSeeds(broker);
  const tenants = tenantNames(count - SEEDS).map((tenantId, n) => ({
    tenantId,
    p: partitionOf(tenantId),
    seed: seeds[n % seeds.length]!,
    earlierMs: Math.floor((n * SPREAD_MS) / count),
    configSeq: 0,
    inputSeq: 0,
  }));
  const put = async (subject: string, text: string, headers: Record<string, string>) =>
    (await broker.publisher.publish(subject, Buffer.from(text), { headers })).seq;

  await eachInFlight(tenants, IN_FLIGHT, async (tenant) => {
    const config = encode(tenantConfigured, tenantConfig(tenant.tenantId));
    const { seq } = await broker.publisher.publish(tenantConfigured.subject(tenant.tenantId), config);
    tenant.configSeq = seq;
  });
  await eachInFlight(tenants, Math.ceil(IN_FLIGHT / 8), async (tenant) => {
    const { tenantId, p, seed, earlierMs, configSeq } = tenant;
    const seqs = seed.conditions.map(({ subject, text, head }) => {
      const [, , , layer, source] = subject.split('.');
      const copied = copyOf(text, { tenantId, earlierMs, positions: { CONFIG: configSeq } });
      const dueMs = head.dueMs === null ? null : head.dueMs - earlierMs;
      return put(`layer.${p}.${tenantId}.${layer}.${source}`, copied, conditionHeaders({ ...head, dueMs }));
    });
    tenant.inputSeq = Math.max(...(await Promise.all(seqs)));
  });
  await eachInFlight(tenants, IN_FLIGHT / 8, ({ tenantId, p, seed, earlierMs, inputSeq }) => {
    const { text, policyDigest } = seed.truth;
    const copied = copyOf(text, { tenantId, earlierMs, positions: { inputSeq } });
    return put(`truth.${p}.${tenantId}`, copied, truthHeaders({ policyDigest }));
  });
  await moveMarks(broker, layerMarked, 'LAYERS', ['CONFIG', 'EVIDENCE']);
  await moveMarks(broker, truthMarked, 'TRUTH', ['CONFIG', 'LAYERS']);
}

async function readSeeds(broker: Broker): Promise<readonly Seed[]> {
  const newest = async (stream: StreamName, filter: string) => {
    const range = { stream, filters: [filter] };
    const heads = new Map<string, StoredHead>();
    await readHeads(broker, range, (head) => heads.set(head.subject, head));
    const found = [];
    for await (const { subject, data } of readStored(broker, range)) {
      const { header } = heads.get(subject)!;
      found.push({ subject, tenantId: subject.split('.')[2]!, text: Buffer.from(data).toString(), header });
    }
    return Map.groupBy(found, ({ tenantId }) => tenantId);
  };
  const conditions = await newest('LAYERS', 'layer.*.*.*.*');
  const truths = await newest('TRUTH', 'truth.*.*');
  return SEED_NAMES.map((name) => {
    const [truth] = truths.get(name) ?? [];
    const nine = conditions.get(name) ?? [];
    if (!truth || nine.length !== 9) throw new Error(`${name} has ${nine.length} conditions`);
    return {
      conditions: nine.map(({ subject, text, header }) => ({
        subject,
        text,
        head: conditionHeadFrom(header),
      })),
      truth: { text: truth.text, policyDigest: truthPolicyFrom(truth.header) },
    };
  });
}

/** Everything that stands in these streams now is reflected. */
async function moveMarks(
  broker: Broker,
  contract: typeof layerMarked,
  stream: StreamName,
  inputs: readonly StreamName[],
): Promise<void> {
  const reached: Partial<Record<StreamName, number>> = {};
  for (const input of inputs) reached[input] = (await broker.jsm.streams.info(input)).state.last_seq;
  const filters = [`${contract.subject(0).split('.')[0]}.*`];
  for await (const { data } of readStored(broker, { stream, filters })) {
    const before = decodeLenient(contract, data);
    const mark: Mark = {
      ...before,
      id: randomUUID(),
      inputs: { ...before.inputs, ...reached },
      asOfMs: Date.now(),
    };
    await broker.publisher.publish(contract.subject(before.p), encode(contract, mark));
  }
}
