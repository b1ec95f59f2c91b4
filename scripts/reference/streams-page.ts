import { readStreamsFile } from '@orchestrate/messaging';
import { cell, code, MADE, table } from './markdown.ts';

const HOLDS: Readonly<Record<string, string>> = {
  CONFIG: 'what tenants declare of themselves',
  POLICY: 'policies by digest, and which one is in force',
  EVIDENCE: 'what was observed',
  LAYERS: 'the condition of each source of each layer, and the marks of layer-runtime',
  TRUTH: 'one truth per tenant, and the marks that vouch for them',
  REQUESTS: 'may this message go out now',
  DECISIONS: 'one chain of records per tenant: the audit',
  LEDGER: 'what the chains imply, so that a take-over need not read all of them',
  OUTCOMES: 'claims and outcomes of sends',
  OPERATOR: 'commands of people',
  SUPPRESSIONS: 'who is not to be written to, by recipient key',
  REJECTED: 'what broke its contract or our handler, with what was wrong',
  PRESENCE: 'which instances live',
  OWNERS: 'who holds a partition, and where processes died',
  RECIPIENTS: 'addresses, content and the key of each tenant: the only place where they stand',
};
const WRITERS: Readonly<Record<string, string>> = {
  CONFIG: 'command line',
  POLICY: 'command line',
  EVIDENCE: 'probes, imports, command line',
  LAYERS: 'layer-runtime',
  TRUTH: 'truth-aggregator',
  REQUESTS: 'command line, requesters',
  DECISIONS: 'dispatch-governance',
  LEDGER: 'dispatch-governance',
  OUTCOMES: 'senders',
  OPERATOR: 'command line',
  SUPPRESSIONS: 'imports',
  REJECTED: 'every reader',
  PRESENCE: 'every partitioned service',
  OWNERS: 'every partitioned service',
  RECIPIENTS: 'imports, command line',
};

export function streamsPage(): string {
  const { streams, buckets } = readStreamsFile();
  const rows = streams.map((stream) => [
    stream.shards === 1 ? code(stream.name) : `${code(stream.name)} in ${stream.shards} shards`,
    cell(HOLDS[stream.name] ?? missing(stream.name)),
    WRITERS[stream.name] ?? missing(stream.name),
    stream.subjects.map(code).join('<br>'),
    keeps(stream),
    [
      stream.discard === 'new' ? 'refuses new when full' : 'drops old when full',
      ...(stream.deny_purge ? ['cannot be deleted or purged'] : []),
    ].join('; '),
  ]);
  const bucketRows = buckets.map(({ name }) => [
    code(name),
    cell(HOLDS[name] ?? missing(name)),
    WRITERS[name] ?? missing(name),
  ]);
  return `# Streams

${MADE}

Declared in \`deploy/nats/streams.json\`, created by \`orchestrate provision\` (and by \`npm start\`) and by nothing else;
\`orchestrate doctor\` compares what is there with the declaration. In subjects the second token is the tenant's partition,
which the server puts there where a writer outside does not name it. LAYERS, TRUTH and DECISIONS may say \`"shards": n\` there
and are then n streams each, \`LAYERS-0\` to \`LAYERS-<n-1>\`, with the limits below in each of them and 64 / n partitions,
one after another ([how](../how-to/shard-the-streams.md)).

## Streams

${table(['stream', 'holds', 'written by', 'subjects', 'keeps', 'limits'], rows)}

## Key-value buckets

${table(['bucket', 'holds', 'written by'], bucketRows)}
`;
}

function missing(name: string): never {
  throw new Error(`scripts/reference/streams-page.ts does not say what ${name} holds and who writes it`);
}

const DAY_SEC = 86_400;

function keeps(stream: {
  max_age_sec?: number | undefined;
  max_msgs_per_subject?: number | undefined;
  max_bytes: number;
}): string {
  return [
    ...(stream.max_msgs_per_subject ? [`last ${stream.max_msgs_per_subject} a subject`] : []),
    ...(stream.max_age_sec ? [`${stream.max_age_sec / DAY_SEC} days`] : []),
    `${Math.round(stream.max_bytes / 2 ** 20)} MiB at most`,
  ].join(', ');
}
