import {
  type Broker,
  compareStreams,
  otherShards,
  type StreamDifference,
  shardsOf,
} from '@orchestrate/messaging';
import { count, percent, size } from '../figures.ts';
import { fail, type Judgement, ok, warn } from '../finding.ts';
import type { Surroundings } from '../surroundings.ts';

const FILL_SHARE_ADVISED = 0.8;
/** An empty stream answers as if there had never been anything: nobody suppressed, nobody written to. */
const LOST =
  'on a new server run `orchestrate provision`; where it was there before, what it held is gone: run `orchestrate freeze --all` first, then `orchestrate provision`, restore it or import suppressions and lists again, and only then `orchestrate unfreeze --all`';

const OTHER_SHARDS =
  'nothing is missing: declare in deploy/nats/streams.json of this checkout the `shards` that are there';

export interface StreamFill {
  readonly stream: string;
  readonly bytes: number;
  /** -1 when it has no limit. */
  readonly maxBytes: number;
}

export interface StreamsFound {
  readonly declared: readonly string[];
  readonly differences: readonly StreamDifference[];
  /** All streams of the server. */
  readonly fills: readonly StreamFill[];
}

export function judgeStreams({ declared, differences, fills }: StreamsFound): Judgement {
  const undeclared = fills.map(({ stream }) => stream).filter((stream) => !declared.includes(stream));
  const limited = fills.filter(({ maxBytes }) => maxBytes > 0).toSorted((a, b) => shareOf(b) - shareOf(a));
  const full = limited.filter((fill) => shareOf(fill) >= FILL_SHARE_ADVISED);
  const [fullest] = limited;
  const data = {
    declared: declared.length,
    missing: differences.filter(({ kind }) => kind === 'missing').length,
    different: new Set(differences.filter(({ kind }) => kind === 'different').map(({ stream }) => stream))
      .size,
    undeclared: undeclared.join(', '),
    fullest: fullest?.stream ?? null,
    fullestShare: fullest ? shareOf(fullest) : null,
  };
  const problems = [...differences.map(inWords), ...full.map(fillInWords)];
  const raise =
    'raise max_bytes of what is nearly full in deploy/nats/streams.json and run `orchestrate provision`';
  if (differences.length > 0) {
    const remedy =
      data.missing > 0 ? LOST : 'run `orchestrate provision`, which corrects without touching what is stored';
    return fail(problems.join('; '), full.length > 0 ? `${remedy}; ${raise}` : remedy, data);
  }
  if (full.length > 0) return warn(problems.join('; '), raise, data);
  const also = undeclared.length > 0 ? `; ${count(undeclared.length, 'stream')} that nobody declared` : '';
  const most = fullest ? `, the fullest is ${fillInWords(fullest)}` : '';
  return ok(`${count(declared.length, 'stream')} as declared${most}${also}`, data);
}

const shareOf = ({ bytes, maxBytes }: StreamFill): number => bytes / maxBytes;

const fillInWords = (fill: StreamFill): string =>
  `${fill.stream} at ${percent(shareOf(fill))} of ${size(fill.maxBytes)}`;

function inWords(difference: StreamDifference): string {
  if (difference.kind === 'missing') return `${difference.stream} is missing`;
  const { stream, field, wanted, found } = difference;
  return `${stream} has ${field} ${JSON.stringify(found) ?? 'unset'} instead of ${JSON.stringify(wanted) ?? 'unset'}`;
}

export async function checkStreams(
  broker: Broker,
  { streams: wanted }: Pick<Surroundings, 'streams'>,
): Promise<Judgement> {
  const fills: StreamFill[] = [];
  for await (const { config, state } of broker.jsm.streams.list()) {
    fills.push({ stream: config.name, bytes: state.bytes, maxBytes: config.max_bytes });
  }
  const declared = [
    ...wanted.streams.flatMap(shardsOf).map(({ name }) => name),
    ...wanted.buckets.map(({ name }) => `KV_${name}`),
  ];
  const judged = judgeStreams({ declared, differences: await compareStreams(broker, wanted), fills });
  const others = await otherShards(broker, wanted.streams);
  return others.length > 0 ? fail(others.join('; '), OTHER_SHARDS, judged.data) : judged;
}
