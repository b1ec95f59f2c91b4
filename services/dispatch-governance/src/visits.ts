import type { TenantEntry } from './tenant-entry.ts';

const AT_ONCE = 16;

/** Tenants whose desks are set up for what became due there, a few at a time, oldest first. */
export class Visits {
  readonly #visit: (entry: TenantEntry) => Promise<void>;
  readonly #waiting = new Set<TenantEntry>();
  readonly #visiting = new Set<TenantEntry>();
  #closed = false;

  constructor(visit: (entry: TenantEntry) => Promise<void>) {
    this.#visit = visit;
  }

  add(entry: TenantEntry): void {
    this.#waiting.add(entry);
    this.#next();
  }

  close(): void {
    this.#closed = true;
    this.#waiting.clear();
  }

  #next(): void {
    for (const entry of this.#waiting) {
      if (this.#closed || this.#visiting.size >= AT_ONCE) return;
      // Its turn comes once it is through with what it is visited for now.
      if (this.#visiting.has(entry)) continue;
      this.#waiting.delete(entry);
      this.#visiting.add(entry);
      void this.#visit(entry).finally(() => {
        this.#visiting.delete(entry);
        this.#next();
      });
    }
  }
}
