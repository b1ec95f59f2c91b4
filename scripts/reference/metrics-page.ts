import { CHECK_VERDICTS, UNKNOWN_REASONS } from '@orchestrate/canon';
import { REJECTION_REASONS, SETTLED_OUTCOMES } from '@orchestrate/contracts';
// biome-ignore-start lint/style/noRestrictedImports: a service exports nothing, for no other package may build on it
import { PROBE_METRICS } from '@orchestrate/evidence-probes/src/probe-metrics.ts';
import { PROBE_WORDS } from '@orchestrate/evidence-probes/src/probe-words.ts';
import { SENDER_METRICS } from '@orchestrate/reference-sender/src/sender-metrics.ts';
// biome-ignore-end lint/style/noRestrictedImports: see above
import {
  type Metric,
  type MetricTable,
  PARTITION_METRICS,
  PROCESS_METRICS,
  SERVICE_METRICS,
  TARGET_INFO,
} from '@orchestrate/service-kit';
import { cell, code, list, MADE, table } from './markdown.ts';

const LABELS = [
  [code('answer'), `${list(['stored', 'conflict', 'uncertain', 'refused'])}: what nats-server said`],
  [code('partition'), '`0` to `63`: one series for each owned partition, gone when it moves'],
  [code('probe'), `a word of \`PROBES\`: ${list(PROBE_WORDS.filter((word) => word !== 'window'))}`],
  [code('reason'), `of a rejection: ${list(REJECTION_REASONS)}`],
  [code('reason'), `of an unknown: ${list(UNKNOWN_REASONS)}`],
  [code('result'), list(['stored', 'failed'])],
  [code('state'), list(SETTLED_OUTCOMES)],
  [code('stream'), 'an input [stream](streams.md)'],
  [code('verdict'), list(CHECK_VERDICTS)],
];

export function metricsPage(): string {
  const target: MetricTable = { [TARGET_INFO.name]: { kind: 'gauge', help: TARGET_INFO.help } };
  return `# Metrics

${MADE}

\`GET /metrics\` beside \`/healthz\` on every service, in the text format that Prometheus reads; how to set that up stands in
[Watch it with Prometheus](../how-to/watch-it-with-prometheus.md). The figures are read when they are asked for. Counters
begin at 0 with the process. A figure that cannot be told is not shown, and neither is the mark age of a partition that was
never marked; when a whole reading fails the answer is 500.

## Every service

${metricTable({ ...target, ...SERVICE_METRICS })}

## The process

${metricTable(PROCESS_METRICS)}

## layer-runtime, truth-aggregator, dispatch-governance

${metricTable(PARTITION_METRICS)}

truth-aggregator forwards the marks of layer-runtime, so its mark age is that of the whole way from the evidence to the
truth: it grows when either of the two stands.

## evidence-probes

${metricTable(PROBE_METRICS)}

## reference-sender

${metricTable(SENDER_METRICS)}

## Labels

\`${TARGET_INFO.name}\` has ${list(TARGET_INFO.labels)}; every other metric has one label or none.

${table(['label', 'values'], LABELS)}
`;
}

function metricTable(metrics: MetricTable): string {
  const row = ([name, { kind, label, help }]: [string, Metric]) => [
    code(name),
    kind,
    label ? code(label) : '',
    cell(help),
  ];
  return table(['metric', 'type', 'label', 'meaning'], Object.entries(metrics).map(row));
}
