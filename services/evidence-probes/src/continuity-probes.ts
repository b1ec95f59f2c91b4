import type { TenantConfig } from '@orchestrate/contracts';
import type { Logger } from '@orchestrate/service-kit';
import { type ContinuityWindow, continuityWindow } from './continuity/window.ts';
import { DueTimer } from './due-timer.ts';
import type { ConfiguredTenant } from './handle-tenant-config.ts';
import type { EvidencePublisher, ObservedFact } from './publish-evidence.ts';

const AGAIN_MS = 5_000;
const BEHIND_MS = 100;
/** A change further away than the window looks ahead is found by looking again. */
const LOOK_AGAIN_MS = 86_400_000;

interface Dependencies {
  readonly evidence: EvidencePublisher;
  readonly heartbeatMs: number;
  readonly log: Logger;
}

/**
 * Publishes a tenant's window when it changes, and nothing when it does not: instead each partition hears a
 * heartbeat. It is withheld while a change of the partition is not stored yet, because it vouches for all of them.
 */
export class ContinuityProbes {
  readonly #dependencies: Dependencies;
  readonly #watched = new Map<string, ConfiguredTenant>();
  /** The facts that stand in the stream, as far as this instance put them there. */
  readonly #stored = new Map<string, string>();
  readonly #looking = new Set<string>();
  readonly #partitions = new Set<number>();
  /** Tenants of a partition whose newest facts are not stored. */
  readonly #behind = new Map<number, Set<string>>();
  readonly #timer = new DueTimer((key) => void this.#due(key));
  #closed = false;

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
  }

  watch(tenant: ConfiguredTenant): void {
    const { tenantId } = tenant.config;
    this.#watched.set(tenantId, tenant);
    this.#behindIn(tenant.p).add(tenantId);
    this.#timer.set(tenantId, Date.now());
  }

  /** Whatever another instance says of the tenant from now on, it is not known here. */
  forget(tenantId: string): void {
    const tenant = this.#watched.get(tenantId);
    if (tenant) this.#behindIn(tenant.p).delete(tenantId);
    this.#watched.delete(tenantId);
    this.#stored.delete(tenantId);
    this.#timer.remove(tenantId);
  }

  /** From now on, or no longer, this instance speaks for the partition. */
  speakFor(p: number, isOwned: boolean): void {
    if (!isOwned) {
      this.#partitions.delete(p);
      this.#timer.remove(keyOf(p));
    } else if (!this.#partitions.has(p)) {
      this.#partitions.add(p);
      this.#timer.set(keyOf(p), Date.now());
    }
  }

  status() {
    const behind = [...this.#behind.values()].reduce((sum, tenants) => sum + tenants.size, 0);
    return { tenants: this.#watched.size, partitions: this.#partitions.size, behind };
  }

  close(): void {
    this.#closed = true;
    this.#timer.close();
  }

  #behindIn(p: number): Set<string> {
    return this.#behind.getOrInsertComputed(p, () => new Set());
  }

  async #due(key: string): Promise<void> {
    const p = partitionIn(key);
    if (p === null) await this.#look(key);
    else await this.#beat(p);
  }

  async #beat(p: number): Promise<void> {
    const isBehind = this.#behindIn(p).size > 0;
    if (!isBehind) await this.#dependencies.evidence.heartbeat(p);
    if (!this.#partitions.has(p)) return;
    this.#timer.set(keyOf(p), Date.now() + (isBehind ? BEHIND_MS : this.#dependencies.heartbeatMs));
  }

  /** One at a time per tenant: of two in flight the older one could arrive last. */
  async #look(tenantId: string): Promise<void> {
    const tenant = this.#watched.get(tenantId);
    if (!tenant || this.#looking.has(tenantId)) return;
    this.#looking.add(tenantId);
    const nowMs = Date.now();
    const { facts, nextMs } = this.#factsOf(tenant.config, nowMs);
    const isStored = await this.#publishIfNew(tenant, facts);
    this.#looking.delete(tenantId);
    const now = this.#watched.get(tenantId);
    if (this.#closed || !now) return;
    if (now === tenant && isStored) {
      this.#behindIn(tenant.p).delete(tenantId);
      this.#timer.set(tenantId, nextMs);
    } else {
      // what stands in the stream is not certain, or not what is wanted by now
      this.#stored.delete(tenantId);
      this.#timer.set(tenantId, now === tenant ? nowMs + AGAIN_MS : nowMs);
    }
  }

  async #publishIfNew(tenant: ConfiguredTenant, facts: ObservedFact[]): Promise<boolean> {
    const { tenantId } = tenant.config;
    const wanted = JSON.stringify(facts.map(({ observedAtMs: _, ...fact }) => fact));
    if (this.#stored.get(tenantId) === wanted) return true;
    this.#behindIn(tenant.p).add(tenantId);
    const isStored = await this.#publish(tenant, facts);
    if (isStored) this.#stored.set(tenantId, wanted);
    return isStored;
  }

  #factsOf(config: TenantConfig, nowMs: number): { facts: ObservedFact[]; nextMs: number } {
    const farMs = nowMs + LOOK_AGAIN_MS;
    const { cadenceSec } = config.schedule;
    try {
      const window = windowOf(config, nowMs);
      return {
        facts: factsOf(window, cadenceSec, nowMs),
        // The next run moves on when it has come, so that it never seems overdue.
        nextMs: Math.min(window.nextChangeAtMs ?? farMs, nextRunOver(window, nowMs), farMs),
      };
    } catch (error) {
      this.#dependencies.log.error(
        { err: error, tenantId: config.tenantId },
        'a schedule cannot be worked out',
      );
      const unknown = 'probe_fault' as const;
      const facts: ObservedFact[] = [
        { fact: 'window.open', unknown, observedAtMs: nowMs },
        { fact: 'windowReason', unknown, observedAtMs: nowMs },
      ];
      return { facts, nextMs: farMs };
    }
  }

  #publish({ config, reference }: ConfiguredTenant, facts: ObservedFact[]): Promise<boolean> {
    return this.#dependencies.evidence.observed({
      tenantId: config.tenantId,
      layer: 'continuity_window',
      source: 'main',
      observer: 'continuity-probe',
      causedBy: reference,
      facts,
    });
  }
}

function nextRunOver({ nextRunAtMs }: ContinuityWindow, nowMs: number): number {
  return nextRunAtMs === null ? Number.POSITIVE_INFINITY : Math.max(nextRunAtMs, nowMs) + 1_000;
}

/** No tenant has such a name. */
function keyOf(p: number): string {
  return `/${p}`;
}

function partitionIn(key: string): number | null {
  return key.startsWith('/') ? Number(key.slice(1)) : null;
}

function windowOf({ schedule }: TenantConfig, nowMs: number): ContinuityWindow {
  const { quietHours, ...rest } = schedule;
  return continuityWindow({ ...rest, ...(quietHours ? { quietHours } : {}) }, nowMs);
}

function factsOf(window: ContinuityWindow, cadenceSec: number, observedAtMs: number): ObservedFact[] {
  const { open, windowReason, nextRunAtMs } = window;
  return [
    open === undefined
      ? { fact: 'window.open', unknown: 'tz_unknown', observedAtMs }
      : { fact: 'window.open', value: open, observedAtMs },
    { fact: 'windowReason', value: windowReason, observedAtMs },
    { fact: 'cadenceSec', value: cadenceSec, observedAtMs },
    ...(nextRunAtMs === null ? [] : [{ fact: 'nextRun', value: nextRunAtMs, observedAtMs }]),
  ];
}
