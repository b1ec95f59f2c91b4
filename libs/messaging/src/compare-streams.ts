import { isDeepStrictEqual } from 'node:util';
import type { StreamConfig } from '@nats-io/jetstream';
import type { Broker } from './connect.ts';
import {
  readStreamsFile,
  type StreamsFile,
  type WantedConfig,
  wantedBucketConfig,
  wantedStreamConfig,
} from './provision-streams.ts';
import { shardsOf } from './shard-declaration.ts';

/** Where a server is not as declared. The stream of a bucket is named `KV_` and the bucket. */
export type StreamDifference =
  | { readonly kind: 'missing'; readonly stream: string }
  | {
      readonly kind: 'different';
      readonly stream: string;
      /** As the server names it: `max_bytes`, `max_age` (ns), … */
      readonly field: keyof StreamConfig;
      readonly wanted: unknown;
      readonly found: unknown;
    };

/** What provisioning would create or change, in the order of the declaration; nothing when all is as declared. */
export async function compareStreams(
  broker: Broker,
  declared: StreamsFile = readStreamsFile(),
): Promise<readonly StreamDifference[]> {
  const found = new Map<string, StreamConfig>();
  for await (const { config } of broker.jsm.streams.list()) found.set(config.name, config);
  const { replicas } = declared;
  const wanted = [
    ...declared.streams.flatMap(shardsOf).map((stream) => wantedStreamConfig(stream, replicas)),
    ...declared.buckets.map((bucket) => wantedBucketConfig(bucket, replicas)),
  ];
  return wanted.flatMap((config) => differencesOf(config, found.get(config.name)));
}

function differencesOf(wanted: WantedConfig, found: StreamConfig | undefined): StreamDifference[] {
  const stream = wanted.name;
  if (!found) return [{ kind: 'missing', stream }];
  return (Object.keys(wanted) as (keyof StreamConfig)[])
    .filter((field) => !isDeepStrictEqual(comparable(wanted[field]), comparable(found[field])))
    .map((field) => ({ kind: 'different', stream, field, wanted: wanted[field], found: found[field] }));
}

/** The server leaves out what is false, and keeps lists in the order they came in. */
function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.toSorted();
  return value === false ? undefined : value;
}
