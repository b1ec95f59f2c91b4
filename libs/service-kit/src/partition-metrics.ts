import type { OwnerLoop } from '@orchestrate/messaging';
import { CONSUMER_LAG, type MetricSource, metricSource, PARTITIONS_OWNED } from './metric.ts';

/** What the partitioned services show beside what every service shows. */
export const PARTITION_METRICS = {
  orchestrate_partitions_owned: PARTITIONS_OWNED,
  orchestrate_partitions_caught_up: {
    kind: 'gauge',
    help: 'Partitions of which nothing waits to be read or to be written',
  },
  orchestrate_partitions_taken_total: { kind: 'counter', help: 'Times that a partition was taken' },
  orchestrate_partitions_released_total: { kind: 'counter', help: 'Times that a partition was handed on' },
  orchestrate_partitions_lost_total: {
    kind: 'counter',
    help: 'Times that a partition was given up without being handed on, and looked at again',
  },
  orchestrate_partition_conflicts_total: {
    kind: 'counter',
    help: 'Times that another owner had written to a partition that this one held for its own',
  },
  orchestrate_red_reasons: {
    kind: 'gauge',
    help: 'Partitions that stopped, and inputs that were skipped after three deaths',
  },
  orchestrate_consumer_lag_messages: CONSUMER_LAG,
  orchestrate_inputs_handled_total: {
    kind: 'counter',
    label: 'stream',
    help: 'Inputs that were handled, rejected ones included',
  },
  orchestrate_mark_age_seconds: {
    kind: 'gauge',
    label: 'partition',
    help: 'How long ago the moment is that the last mark of an owned partition vouches for',
  },
} as const;

export function partitionMetrics(loop: OwnerLoop): MetricSource {
  return metricSource(PARTITION_METRICS, () => {
    const status = loop.status();
    const nowMs = Date.now();
    const ages = Object.entries(status.markedAsOfMs).map(([p, asOfMs]) => [p, (nowMs - asOfMs) / 1000]);
    return {
      orchestrate_partitions_owned: status.owned,
      orchestrate_partitions_caught_up: status.caughtUp,
      orchestrate_partitions_taken_total: status.taken,
      orchestrate_partitions_released_total: status.released,
      orchestrate_partitions_lost_total: status.lost,
      orchestrate_partition_conflicts_total: status.conflicts,
      orchestrate_red_reasons: status.red.length,
      orchestrate_consumer_lag_messages: status.lagOf,
      orchestrate_inputs_handled_total: status.handledOf,
      orchestrate_mark_age_seconds: Object.fromEntries(ages) as Record<string, number>,
    };
  });
}
