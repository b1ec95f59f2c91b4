import { PARTITIONS } from '@orchestrate/canon';
import { ownerOf, Presence, readStored, type StoredMessage, StreamFollower } from '@orchestrate/messaging';
import {
  type Environment,
  isOffboarding,
  offboardedSubjects,
  PolicyInForce,
  type RunningService,
  type ServiceContext,
} from '@orchestrate/service-kit';
import type { environment } from './config.ts';
import { ContinuityProbes } from './continuity-probes.ts';
import { createTxtResolver } from './dns/resolver.ts';
import { DnsProbes } from './dns-probes.ts';
import { type ConfiguredTenant, handleTenantConfig, TENANT_CONFIGS } from './handle-tenant-config.ts';
import { handleTenantOffboarded } from './handle-tenant-offboarded.ts';
import { probeMetrics } from './probe-metrics.ts';
import type { ProbeCadence } from './probe-schedule.ts';
import { EvidencePublisher } from './publish-evidence.ts';

const CONFIGS = { stream: 'CONFIG', filters: [TENANT_CONFIGS, offboardedSubjects('*')] } as const;

export async function startProbes(
  context: ServiceContext<Environment<typeof environment>>,
): Promise<RunningService> {
  const { name, instance, life, environment, broker, log } = context;
  const policies = await PolicyInForce.follow(broker, { log });
  const evidence = new EvidencePublisher(broker, log);
  const resolver = createTxtResolver({
    servers: environment.DNS_SERVERS,
    timeoutMs: environment.DNS_TIMEOUT_MS,
    tries: environment.DNS_TRIES,
  });
  const cadence = (): ProbeCadence => ({
    intervalMs: (environment.DNS_INTERVAL_SEC ?? policies.current.policy.maxAgeSec.dns / 2) * 1000,
    failingMs: environment.DNS_RETRY_SEC * 1000,
    unknownMs: environment.DNS_UNKNOWN_RETRY_SEC * 1000,
  });
  const dns = new DnsProbes({ resolver, evidence, cadence, log });
  const continuity = new ContinuityProbes({ evidence, heartbeatMs: environment.HEARTBEAT_SEC * 1000, log });
  policies.onChange(() => dns.quicken());

  const tenants = new Map<string, ConfiguredTenant>();
  const left = new Set<string>();
  let owned: ReadonlySet<number> = new Set();
  const watch = (tenant: ConfiguredTenant) => {
    dns.watch(tenant);
    continuity.watch(tenant);
  };
  const forget = (tenantId: string) => {
    dns.forget(tenantId);
    continuity.forget(tenantId);
  };
  const offboard = async (message: StoredMessage) => {
    const tenantId = await handleTenantOffboarded(broker, name, message);
    if (tenantId === null) return;
    left.add(tenantId);
    tenants.delete(tenantId);
    forget(tenantId);
  };
  const configure = async (message: StoredMessage) => {
    if (isOffboarding(message)) return offboard(message);
    const tenant = await handleTenantConfig(broker, name, message);
    if (!tenant || left.has(tenant.config.tenantId)) return;
    tenants.set(tenant.config.tenantId, tenant);
    if (owned.has(tenant.p)) watch(tenant);
  };
  const share = (members: readonly string[]) => {
    const before = owned;
    owned = partitionsOf(instance, members);
    for (const [tenantId, tenant] of tenants) {
      if (owned.has(tenant.p) && !before.has(tenant.p)) watch(tenant);
      else if (!owned.has(tenant.p) && before.has(tenant.p)) forget(tenantId);
    }
    for (let p = 0; p < PARTITIONS; p++) continuity.speakFor(p, owned.has(p));
  };

  let readSeq = 0;
  for await (const message of readStored(broker, CONFIGS)) {
    await configure(message);
    readSeq = message.seq;
  }
  let presence: Presence | undefined;
  presence = await Presence.join(broker, { service: name, instance, life }, () => {
    if (presence) share(presence.members());
  });
  share(presence.members());
  const follower = await StreamFollower.start(broker, { ...CONFIGS, fromSeq: readSeq + 1 }, configure);
  follower.done.catch(context.stop);

  return {
    health: () => ({
      ok: evidence.trouble === null,
      detail: {
        ...continuity.status(),
        ...dns.status(),
        policy: policies.current.digest,
        policyProblem: policies.problem,
        evidenceTrouble: evidence.trouble,
      },
    }),
    metrics: [probeMetrics({ dns, continuity, evidence, configLag: () => follower.pending })],
    close: async () => {
      await presence.leave();
      await follower.close();
      await policies.close();
      dns.close();
      continuity.close();
    },
  };
}

function partitionsOf(instance: string, members: readonly string[]): Set<number> {
  const all = Array.from({ length: PARTITIONS }, (_, p) => p);
  return new Set(all.filter((p) => ownerOf(p, members) === instance));
}
