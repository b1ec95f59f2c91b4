import { PARTITIONS } from '@orchestrate/canon';
import { ownerOf, Presence, readStored, type StoredMessage, StreamFollower } from '@orchestrate/messaging';
import {
  type Environment,
  isOffboarding,
  type Logger,
  offboardedSubjects,
  PolicyInForce,
  type RunningService,
  type ServiceContext,
} from '@orchestrate/service-kit';
import { followBillingNews } from './billing/billing-news.ts';
import type { environment } from './config.ts';
import { ContinuityProbes } from './continuity-probes.ts';
import { Credentials } from './credentials.ts';
import { DeliveredProofs } from './delivered/delivered-proofs.ts';
import { createDnsResolver } from './dns/resolver.ts';
import { shareAnswers } from './dns/share-answers.ts';
import { type ConfiguredTenant, handleTenantConfig, TENANT_CONFIGS } from './handle-tenant-config.ts';
import { handleTenantOffboarded } from './handle-tenant-offboarded.ts';
import { ProbeRunner } from './probe/probe-runner.ts';
import { probeMetrics } from './probe-metrics.ts';
import { PROBE_WORDS } from './probe-words.ts';
import { PROBES, type ProbeMeans } from './probes.ts';
import { EvidencePublisher } from './publish-evidence.ts';

const CONFIGS = { stream: 'CONFIG', filters: [TENANT_CONFIGS, offboardedSubjects('*')] } as const;

type Settings = Environment<typeof environment>;

export async function startProbes(context: ServiceContext<Settings>): Promise<RunningService> {
  const { name, instance, life, environment, broker, log } = context;
  await using stack = new AsyncDisposableStack();
  const policies = stack.adopt(await PolicyInForce.follow(broker, { log }), (followed) => followed.close());
  const evidence = new EvidencePublisher(broker, log);
  const means = await meansOf(environment, log);
  const policy = () => policies.current.policy;
  const runners = runnersOf(means, { evidence, policy, log });
  const isWatched = environment.PROBES.includes('window');
  const continuity = new ContinuityProbes({ evidence, heartbeatMs: environment.HEARTBEAT_SEC * 1000, log });
  const watchers = [...runners.values(), ...(isWatched ? [continuity] : [])];
  stack.defer(() => means.credentials.idle());
  // Together: the process has ten seconds in all.
  stack.defer(async () => void (await Promise.all(watchers.map((watcher) => watcher.close()))));
  policies.onChange(() => {
    for (const runner of runners.values()) runner.quicken();
  });
  const news = await followBillingNews({
    ...{ broker, credentials: means.credentials, log },
    listen:
      environment.WEBHOOK_PORT === undefined
        ? null
        : { host: environment.WEBHOOK_HOST, port: environment.WEBHOOK_PORT },
    changed: (customer) => runners.get('billing')?.hint(customer),
  });
  stack.use(news);

  const { SEED_HOST: seedHost, SEED_LISTEN: host, SEED_PORT: port } = environment;
  const proofs =
    seedHost === undefined
      ? null
      : stack.use(await DeliveredProofs.listen({ ...means, evidence }, { host, port, seedHost }));

  const tenants = new Map<string, ConfiguredTenant>();
  const left = new Set<string>();
  let owned: ReadonlySet<number> = new Set();
  const watch = (tenant: ConfiguredTenant) => {
    for (const watcher of watchers) watcher.watch(tenant);
  };
  const forget = (tenantId: string) => {
    for (const watcher of watchers) watcher.forget(tenantId);
  };
  const offboard = async (message: StoredMessage) => {
    const tenantId = await handleTenantOffboarded(broker, name, message);
    if (tenantId === null) return;
    left.add(tenantId);
    tenants.delete(tenantId);
    proofs?.forget(tenantId);
    forget(tenantId);
  };
  const configure = async (message: StoredMessage) => {
    if (isOffboarding(message)) return offboard(message);
    const tenant = await handleTenantConfig(broker, name, message);
    if (!tenant || left.has(tenant.config.tenantId)) return;
    tenants.set(tenant.config.tenantId, tenant);
    proofs?.watch(tenant);
    if (owned.has(tenant.p)) watch(tenant);
  };
  const share = (members: readonly string[]) => {
    const before = owned;
    owned = partitionsOf(instance, members);
    for (const [tenantId, tenant] of tenants) {
      if (owned.has(tenant.p) && !before.has(tenant.p)) watch(tenant);
      else if (!owned.has(tenant.p) && before.has(tenant.p)) forget(tenantId);
    }
    for (let p = 0; p < PARTITIONS; p++) continuity.speakFor(p, isWatched && owned.has(p));
  };

  let readSeq = 0;
  for await (const message of readStored(broker, CONFIGS)) {
    await configure(message);
    readSeq = message.seq;
  }
  let presence: Presence | undefined;
  presence = await Presence.join(broker, { service: shareOf(name, environment), instance, life }, () => {
    if (presence) share(presence.members());
  });
  share(presence.members());
  const follower = await StreamFollower.start(broker, { ...CONFIGS, fromSeq: readSeq + 1 }, configure);
  follower.done.catch(context.stop);
  stack.defer(() => follower.close());
  stack.defer(() => presence.leave());
  const running = stack.move();

  return {
    health: () => ({
      ok: evidence.trouble === null,
      detail: {
        ...continuity.status(),
        probes: Object.fromEntries([...runners].map(([word, runner]) => [word, runner.status()])),
        webhookPort: news.webhooks?.port ?? null,
        seedPort: proofs?.port ?? null,
        policy: policies.current.digest,
        policyProblem: policies.problem,
        evidenceTrouble: evidence.trouble,
      },
    }),
    metrics: [probeMetrics({ runners, continuity, evidence, configLag: () => follower.pending })],
    close: () => running.disposeAsync(),
  };
}

async function meansOf(environment: Settings, log: Logger): Promise<ProbeMeans> {
  const resolver = createDnsResolver({
    servers: environment.DNS_SERVERS,
    timeoutMs: environment.DNS_TIMEOUT_MS,
    tries: environment.DNS_TRIES,
  });
  return {
    environment,
    log,
    resolver: shareAnswers(resolver, { keptSecMax: environment.DNS_RETRY_SEC }),
    credentials: await Credentials.in(environment.CREDENTIALS_DIR ?? null),
  };
}

function runnersOf(means: ProbeMeans, dependencies: ConstructorParameters<typeof ProbeRunner>[1]) {
  const { PROBES: words } = means.environment;
  const wanted = words.filter((word) => word !== 'window');
  return new Map(wanted.map((word) => [word, new ProbeRunner(PROBES[word](means), dependencies)]));
}

/** Instances that look at the same kinds of sources share the partitions; others do not count. */
function shareOf(name: string, { PROBES: words }: Settings): string {
  const some = PROBE_WORDS.filter((word) => words.includes(word));
  return some.length === PROBE_WORDS.length ? name : [name, ...some].join('-');
}

function partitionsOf(instance: string, members: readonly string[]): Set<number> {
  const all = Array.from({ length: PARTITIONS }, (_, p) => p);
  return new Set(all.filter((p) => ownerOf(p, members) === instance));
}
