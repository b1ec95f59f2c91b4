import { randomUUID } from 'node:crypto';
import {
  type EvidenceObserved,
  evidenceObserved,
  type TenantConfig,
  tenantConfigured,
  VERSION,
} from '@orchestrate/contracts';
import { type Broker, encode } from '@orchestrate/messaging';
import { declarationOf, READY_FACTS, type SourceFacts } from '@orchestrate/test-kit';
import { eachInFlight, IN_FLIGHT } from './in-flight.ts';
import { LastSeqs } from './mark-watch.ts';

export const tenantNames = (count: number, prefix = 't'): readonly string[] =>
  Array.from({ length: count }, (_, n) => `${prefix}${String(n).padStart(6, '0')}`);

/** A cap that no benchmark reaches: what is measured is not the waiting. */
export const tenantConfig = (tenantId: string): TenantConfig => declarationOf(tenantId, 100_000);

export interface Prepared {
  readonly subject: string;
  readonly data: Uint8Array;
}

export function evidenceOf(
  tenantId: string,
  [layer, source, facts]: SourceFacts,
  observedAtMs: number,
): Prepared {
  const message = {
    v: VERSION,
    id: randomUUID(),
    tenantId,
    causedBy: null,
    layer,
    source,
    observer: 'bench',
    facts: Object.entries(facts).map(([fact, value]) => ({ fact, value, observedAtMs })),
  } as EvidenceObserved;
  const subject = evidenceObserved.subject({ tenantId, layer, source });
  return { subject, data: encode(evidenceObserved, message) };
}

/**
 * Declares tenants and tells everything that lets them send, then what is different with some; gives where that ends
 * in EVIDENCE.
 */
export async function declareTenants(
  broker: Broker,
  tenants: readonly string[],
  more: (n: number) => readonly SourceFacts[] = () => [],
): Promise<LastSeqs> {
  const last = new LastSeqs();
  await eachInFlight(tenants, IN_FLIGHT, async (tenantId) => {
    const config = encode(tenantConfigured, tenantConfig(tenantId));
    await broker.publisher.publish(tenantConfigured.subject(tenantId), config);
  });
  const observed = tenants.flatMap((tenantId, n) =>
    [...READY_FACTS, ...more(n)].map((facts) => [tenantId, facts] as const),
  );
  await eachInFlight(observed, IN_FLIGHT, async ([tenantId, facts]) => {
    const { subject, data } = evidenceOf(tenantId, facts, Date.now());
    last.stored(tenantId, (await broker.publisher.publish(subject, data)).seq);
  });
  return last;
}
