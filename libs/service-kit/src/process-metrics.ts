import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type MetricSource, metricSource } from './metric.ts';

/** The process itself, under the names that the Prometheus clients of all languages give them. */
export const PROCESS_METRICS = {
  process_resident_memory_bytes: { kind: 'gauge', help: 'Memory of the process that is in RAM' },
  process_cpu_seconds_total: { kind: 'counter', help: 'Processor time of the process, user and system' },
  process_start_time_seconds: { kind: 'gauge', help: 'When the process started, seconds since the epoch' },
  nodejs_heap_size_total_bytes: { kind: 'gauge', help: 'Heap that V8 has taken' },
  nodejs_heap_size_used_bytes: { kind: 'gauge', help: 'Heap that is in use' },
  nodejs_eventloop_lag_p99_seconds: {
    kind: 'gauge',
    help: 'How late a timer fires: the 99th percentile since the last scrape',
  },
} as const;

/** How often the delay is sampled, at a thousandth of a core; what is measured contains this wait. */
const SAMPLE_MS = 50;

export function processMetrics(): MetricSource {
  const delay = monitorEventLoopDelay({ resolution: SAMPLE_MS });
  delay.enable();
  let lagSec = 0;
  return metricSource(PROCESS_METRICS, () => {
    const { rss, heapTotal, heapUsed } = process.memoryUsage();
    const { user, system } = process.cpuUsage();
    // Two scrapes may lie closer together than two samples.
    if (delay.count > 0) lagSec = Math.max(0, delay.percentile(99) / 1e9 - SAMPLE_MS / 1_000);
    delay.reset();
    return {
      process_resident_memory_bytes: rss,
      process_cpu_seconds_total: (user + system) / 1e6,
      process_start_time_seconds: performance.timeOrigin / 1_000,
      nodejs_heap_size_total_bytes: heapTotal,
      nodejs_heap_size_used_bytes: heapUsed,
      nodejs_eventloop_lag_p99_seconds: lagSec,
    };
  });
}
