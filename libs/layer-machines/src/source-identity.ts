import type { CanonicalBlockerLayer } from '@orchestrate/canon';

export interface SourceIdentity {
  readonly tenantId: string;
  readonly layer: CanonicalBlockerLayer;
  readonly source: string;
  /** A source that the tenant switched off is kept and listed, and does not count for its layer. */
  readonly enabled: boolean;
}
