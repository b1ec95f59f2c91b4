import type { StoredMessage } from '@orchestrate/messaging';

/** Requests that were left in the stream: from the first that was not taken up to the newest that was seen. */
export interface LeftOut {
  fromSeq: number;
  toSeq: number;
  /** When the first of them was left out. */
  readonly sinceMs: number;
}

/**
 * Which requests each tenant of a partition still has in the stream, so that neither memory nor anybody else's wait
 * grows with what one tenant asks.
 */
export class LeftOutRequests {
  readonly #byTenant = new Map<string, LeftOut>();

  of(tenantId: string): LeftOut | undefined {
    return this.#byTenant.get(tenantId);
  }

  /** Leaves a request out. What came before it must be taken, or left out too. */
  add(tenantId: string, { seq }: Pick<StoredMessage, 'seq'>): void {
    const begun = () => ({ fromSeq: seq, toSeq: seq, sinceMs: Date.now() });
    const left = this.#byTenant.getOrInsertComputed(tenantId, begun);
    left.toSeq = Math.max(left.toSeq, seq);
  }

  /** Everything up to here was taken, of what was there. */
  taken(tenantId: string, upToSeq: number): void {
    const left = this.#byTenant.get(tenantId);
    if (!left) return;
    if (upToSeq >= left.toSeq) this.#byTenant.delete(tenantId);
    else left.fromSeq = upToSeq + 1;
  }

  /** The oldest of all that is left out; null for none. */
  oldestSeq(): number | null {
    let oldest: number | null = null;
    for (const { fromSeq } of this.#byTenant.values()) oldest = Math.min(oldest ?? fromSeq, fromSeq);
    return oldest;
  }
}
