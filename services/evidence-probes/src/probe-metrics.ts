import { CONSUMER_LAG, type MetricSource, metricSource, PARTITIONS_OWNED } from '@orchestrate/service-kit';
import type { ContinuityProbes } from './continuity-probes.ts';
import type { DnsProbes } from './dns-probes.ts';
import type { EvidencePublisher } from './publish-evidence.ts';

/** What evidence-probes shows beside what every service shows. */
export const PROBE_METRICS = {
  orchestrate_partitions_owned: PARTITIONS_OWNED,
  orchestrate_consumer_lag_messages: CONSUMER_LAG,
  orchestrate_tenants_watched: { kind: 'gauge', help: 'Tenants whose windows this instance watches' },
  orchestrate_tenants_behind: {
    kind: 'gauge',
    help: 'Tenants whose newest window is not stored yet; their partitions get no heartbeat',
  },
  orchestrate_domains_watched: { kind: 'gauge', help: 'Domains that this instance looks at' },
  orchestrate_probes_running: { kind: 'gauge', help: 'Domains that are being looked at' },
  orchestrate_probes_waiting: { kind: 'gauge', help: 'Domains that are due and wait for their turn' },
  orchestrate_probes_started_total: { kind: 'counter', help: 'Looks at a domain that were begun' },
  orchestrate_probes_answered_total: {
    kind: 'counter',
    label: 'verdict',
    help: 'Looks at a domain that came to an end, by what they found in all',
  },
  orchestrate_probe_unknowns_total: {
    kind: 'counter',
    label: 'reason',
    help: 'Facts that a look left unknown',
  },
  orchestrate_evidence_waiting: { kind: 'gauge', help: 'Evidence and heartbeats that are being stored' },
  orchestrate_evidence_total: {
    kind: 'counter',
    label: 'result',
    help: 'Evidence and heartbeats that were stored, or could not be and are offered again',
  },
} as const;

export function probeMetrics(of: {
  readonly dns: DnsProbes;
  readonly continuity: ContinuityProbes;
  readonly evidence: EvidencePublisher;
  readonly configLag: () => number;
}): MetricSource {
  return metricSource(PROBE_METRICS, () => {
    const { tenants, partitions, behind } = of.continuity.status();
    const { domains, probing, waiting } = of.dns.status();
    const { started, answered, unknown } = of.dns.counts();
    const { stored, failed, waiting: unstored } = of.evidence.status();
    return {
      orchestrate_partitions_owned: partitions,
      orchestrate_consumer_lag_messages: { CONFIG: of.configLag() },
      orchestrate_tenants_watched: tenants,
      orchestrate_tenants_behind: behind,
      orchestrate_domains_watched: domains,
      orchestrate_probes_running: probing,
      orchestrate_probes_waiting: waiting,
      orchestrate_probes_started_total: started,
      orchestrate_probes_answered_total: answered,
      orchestrate_probe_unknowns_total: unknown,
      orchestrate_evidence_waiting: unstored,
      orchestrate_evidence_total: { stored, failed },
    };
  });
}
