import type { CanonicalBlockerLayer } from '@orchestrate/canon';
import type { TenantConfig } from '@orchestrate/contracts';
import { HeldSource } from './held-source.ts';

/** The sources of one tenant, and what it declares while somebody uses it. */
export class HeldTenant {
  readonly tenantId: string;
  /** What it declares, once somebody looked it up; none that is older than what was handled. */
  config: TenantConfig | null = null;
  /** Sequence in CONFIG of the newest declaration that was handled in this life; 0 before the first. */
  declaredSeq = 0;
  readonly #sources = new Map<string, HeldSource>();

  constructor(tenantId: string) {
    this.tenantId = tenantId;
  }

  find(layer: CanonicalBlockerLayer, source: string): HeldSource | undefined {
    return this.#sources.get(nameOf(layer, source));
  }

  /** The source, made when it is not there yet. */
  hold(layer: CanonicalBlockerLayer, source: string): HeldSource {
    const name = nameOf(layer, source);
    let held = this.#sources.get(name);
    if (!held) {
      held = new HeldSource(this.tenantId, layer, source);
      this.#sources.set(name, held);
    }
    return held;
  }

  sources(): readonly HeldSource[] {
    return [...this.#sources.values()];
  }
}

const names = new Map<string, string>();

/** One string for all tenants that name a source alike: there are millions of sources and few names. */
function nameOf(layer: CanonicalBlockerLayer, source: string): string {
  const name = `${layer}/${source}`;
  const known = names.get(name);
  if (known !== undefined) return known;
  if (names.size >= 10_000) names.clear();
  names.set(name, name);
  return name;
}
