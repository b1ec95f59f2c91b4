import { CONSUMER_LAG, type MetricSource, metricSource, PARTITIONS_OWNED } from '@orchestrate/service-kit';
import type { ContinuityProbes } from './continuity-probes.ts';
import type { ProbeRunner } from './probe/probe-runner.ts';
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
  orchestrate_sources_watched: {
    kind: 'gauge',
    label: 'probe',
    help: 'Sources that this instance looks at',
  },
  orchestrate_probes_running: { kind: 'gauge', label: 'probe', help: 'Looks that are under way' },
  orchestrate_probes_waiting: {
    kind: 'gauge',
    label: 'probe',
    help: 'Looks that are due and wait for their turn',
  },
  orchestrate_probes_spared: {
    kind: 'gauge',
    label: 'probe',
    help: 'Hosts that were not reached several times in a row and are left alone for now',
  },
  orchestrate_probes_started_total: { kind: 'counter', label: 'probe', help: 'Looks that were begun' },
  orchestrate_probes_answered_total: {
    kind: 'counter',
    label: 'verdict',
    help: 'Looks that came to an end, by what they found in all',
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
  readonly runners: ReadonlyMap<string, ProbeRunner<unknown>>;
  readonly continuity: ContinuityProbes;
  readonly evidence: EvidencePublisher;
  readonly configLag: () => number;
}): MetricSource {
  return metricSource(PROBE_METRICS, () => {
    const { tenants, partitions, behind } = of.continuity.status();
    const runners = [...of.runners.values()];
    const byProbe = (read: (runner: ProbeRunner<unknown>) => number) =>
      Object.fromEntries([...of.runners].map(([word, runner]) => [word, read(runner)]));
    const counts = runners.map((runner) => runner.counts());
    const { stored, failed, waiting: unstored } = of.evidence.status();
    return {
      orchestrate_partitions_owned: partitions,
      orchestrate_consumer_lag_messages: { CONFIG: of.configLag() },
      orchestrate_tenants_watched: tenants,
      orchestrate_tenants_behind: behind,
      orchestrate_sources_watched: byProbe((runner) => runner.status().watched),
      orchestrate_probes_running: byProbe((runner) => runner.status().looking),
      orchestrate_probes_waiting: byProbe((runner) => runner.status().waiting),
      orchestrate_probes_spared: byProbe((runner) => runner.status().spared),
      orchestrate_probes_started_total: byProbe((runner) => runner.counts().started),
      orchestrate_probes_answered_total: summed(counts.map(({ answered }) => answered)),
      orchestrate_probe_unknowns_total: summed(counts.map(({ unknown }) => unknown)),
      orchestrate_evidence_waiting: unstored,
      orchestrate_evidence_total: { stored, failed },
    };
  });
}

function summed(all: readonly Readonly<Record<string, number>>[]): Readonly<Record<string, number>> {
  const sum: Record<string, number> = {};
  for (const counts of all) {
    for (const [word, count] of Object.entries(counts)) sum[word] = (sum[word] ?? 0) + count;
  }
  return sum;
}
