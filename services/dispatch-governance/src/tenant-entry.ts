import type { Trigger } from './decision-record.ts';
import type { TenantDesk } from './tenant-desk.ts';

/** What is known of a tenant while nobody works at its desk: enough to know when somebody has to. */
export class TenantEntry {
  readonly tenantId: string;
  /** The newest sequences that are known of its saved ledger, its declaration and its truth; 0 for none. */
  stateSeq = 0;
  configSeq = 0;
  truthSeq = 0;
  /** Records of its chain that no saved ledger holds yet, by their first and last sequence. */
  tail: { readonly fromSeq: number; toSeq: number } | null = null;
  /** Open holds, and whether one of them waits for an answer that grew old. */
  holds = 0;
  hasStaleHold = false;
  hasLeft = false;
  /** Holds to decide again as soon as the desk is there: all of them for one cause, or some. */
  dueAll: Trigger | null = null;
  due: Map<string, Trigger> | null = null;
  desk: TenantDesk | null = null;

  constructor(tenantId: string) {
    this.tenantId = tenantId;
  }

  /** Whether something that moves may concern a hold of it; of a chain that is not replayed yet nobody knows. */
  mayHold(): boolean {
    return this.holds > 0 || this.tail !== null;
  }
}

/** The tenants of a partition. */
export class TenantIndex {
  readonly #entries = new Map<string, TenantEntry>();
  #left = 0;

  at(tenantId: string): TenantEntry {
    return this.#entries.getOrInsertComputed(tenantId, () => new TenantEntry(tenantId));
  }

  all(): IterableIterator<TenantEntry> {
    return this.#entries.values();
  }

  leave(entry: TenantEntry): void {
    if (!entry.hasLeft) this.#left++;
    entry.hasLeft = true;
  }

  /** Tenants that are here. */
  get present(): number {
    return this.#entries.size - this.#left;
  }
}
