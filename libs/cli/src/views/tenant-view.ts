import { partitionOf } from '@orchestrate/canon';
import {
  isFresh,
  missingTenant,
  readTenantConfig,
  readTruth,
  readTruthMark,
  type StoredTruth,
} from '@orchestrate/client';
import type { Broker } from '@orchestrate/messaging';
import { readPolicyInForce } from '@orchestrate/service-kit';
import { Failure } from '../failure.ts';
import { type Readiness, readinessOf } from './readiness.ts';

/** The newest truth of a tenant, and whether it counts at this moment. */
export class TenantView {
  readonly #freshUntil: (asOfMs: number, nowMs: number) => boolean;
  stored: StoredTruth;
  asOfMs: number | null;

  private constructor(
    stored: StoredTruth,
    asOfMs: number | null,
    fresh: (asOfMs: number, nowMs: number) => boolean,
  ) {
    this.stored = stored;
    this.asOfMs = asOfMs;
    this.#freshUntil = fresh;
  }

  /** Throws NotThere for a tenant that nobody applied, and says so when its truth is not built yet. */
  static async read(broker: Broker, tenantId: string): Promise<TenantView> {
    const [stored, mark, inForce] = await Promise.all([
      readTruth(broker, tenantId),
      readTruthMark(broker, partitionOf(tenantId)),
      readPolicyInForce(broker),
    ]);
    // Of a tenant that left the last truth stays, because records cite it; it is nobody's readiness.
    if (!(await readTenantConfig(broker, tenantId))) throw await missingTenant(broker, tenantId);
    if (!stored) {
      throw new Failure(
        'failed',
        `there is no truth of \`${tenantId}\` yet: see whether layer-runtime and truth-aggregator are up with \`orchestrate status\``,
      );
    }
    const fresh = (asOfMs: number, nowMs: number) =>
      inForce !== null && isFresh(asOfMs, inForce.policy, nowMs);
    return new TenantView(stored, mark?.asOfMs ?? null, fresh);
  }

  get tenantId(): string {
    return this.stored.truth.tenantId;
  }

  isFresh(nowMs: number): boolean {
    return this.asOfMs !== null && this.#freshUntil(this.asOfMs, nowMs);
  }

  readiness(nowMs: number): Readiness {
    return readinessOf(this.stored, { asOfMs: this.asOfMs, fresh: this.isFresh(nowMs), nowMs });
  }
}
