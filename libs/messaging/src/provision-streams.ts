import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { DiscardPolicy, RetentionPolicy, StorageType, type StreamConfig } from '@nats-io/jetstream';
import { type Policy, policyDigestOf, policySchema } from '@orchestrate/canon';
import { issuesOf, policyActivated, policyPublished, STREAM_NAMES, VERSION } from '@orchestrate/contracts';
import { z } from 'zod';
import { PublishRefused } from './ack-publisher.ts';
import { encode } from './codec.ts';
import type { Broker } from './connect.ts';
import { refuseOtherShards, type ShardDeclaration, shardsOf } from './shard-declaration.ts';
import { isSharded, SHARD_COUNTS } from './stream-shards.ts';

const streamsFileSchema = z.strictObject({
  /** Servers that hold each stream and bucket: 1, or 3 or 5 of a cluster. */
  replicas: z.union([z.literal(1), z.literal(3), z.literal(5)]).default(1),
  streams: z.array(
    z
      .strictObject({
        name: z.enum(STREAM_NAMES),
        /** Streams on the server among which the partitions are dealt out. */
        shards: z.literal(SHARD_COUNTS).default(1),
        subjects: z.array(z.string()),
        subject_transform: z.strictObject({ src: z.string(), dest: z.string() }).optional(),
        max_age_sec: z.number().int().optional(),
        max_msgs_per_subject: z.number().int().optional(),
        discard_new_per_subject: z.boolean().optional(),
        max_bytes: z.number().int(),
        discard: z.enum(['old', 'new']).optional(),
        deny_delete: z.boolean().optional(),
        deny_purge: z.boolean().optional(),
        allow_direct: z.boolean().optional(),
      })
      .refine(({ name, shards }) => shards === 1 || isSharded(name), {
        path: ['shards'],
        message: 'only LAYERS, TRUTH and DECISIONS can be sharded',
      }),
  ),
  buckets: z.array(
    z.strictObject({
      name: z.string(),
      history: z.number().int(),
      marker_ttl_sec: z.number().int().optional(),
      max_bytes: z.number().int(),
    }),
  ),
});
export type StreamsFile = z.infer<typeof streamsFileSchema>;

const STREAMS_FILE = new URL('../../../deploy/nats/streams.json', import.meta.url);

/** The streams as they are declared in `deploy/nats`. Throws with every problem when the file is broken. */
export function readStreamsFile(file: URL | string = STREAMS_FILE): StreamsFile {
  const parsed = streamsFileSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  if (parsed.success) return parsed.data;
  const problems = issuesOf(parsed.error).map((issue) => `${issue.path}: ${issue.message}`);
  throw new Error(`${String(file)} does not declare streams: ${problems.join('; ')}`);
}

type DeclaredShard = ShardDeclaration<StreamsFile['streams'][number]>;
type DeclaredBucket = StreamsFile['buckets'][number];
export type WantedConfig = Partial<StreamConfig> & { readonly name: string };

/**
 * Creates what is missing and brings what exists to its declaration. The only place that creates streams. Throws before
 * anything is changed when a stream stands there in another number of shards.
 */
export async function provisionStreams(
  broker: Broker,
  declared: StreamsFile = readStreamsFile(),
): Promise<void> {
  const { replicas } = declared;
  await refuseOtherShards(broker, declared.streams);
  const streams = declared.streams.flatMap(shardsOf);
  await Promise.all(streams.map((stream) => provisionStream(broker, stream, replicas)));
  for (const bucket of declared.buckets) {
    await broker.kvm.create(bucket.name, {
      replicas,
      history: bucket.history,
      max_bytes: bucket.max_bytes,
      ...(bucket.marker_ttl_sec ? { markerTTL: bucket.marker_ttl_sec * 1000 } : {}),
    });
    // a bucket that was there before is opened as it is
    const wanted = wantedBucketConfig(bucket, replicas);
    await broker.jsm.streams.update(wanted.name, wanted);
  }
}

/**
 * What the declaration of a stream means on the server, limits that are not declared included: somebody who sets one
 * by hand makes the stream forget.
 */
export function wantedStreamConfig(stream: DeclaredShard, replicas = 1): WantedConfig {
  const { max_age_sec, discard, ...rest } = stream;
  const config: Record<string, unknown> = {
    subject_transform: undefined,
    discard_new_per_subject: false,
    max_msgs: -1,
    max_msg_size: -1,
    max_msgs_per_subject: -1,
    ...rest,
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    num_replicas: replicas,
    max_consumers: 4096,
    allow_direct: true,
    duplicate_window: 120_000_000_000,
    max_age: (max_age_sec ?? 0) * 1_000_000_000,
    discard: discard === 'new' ? DiscardPolicy.New : DiscardPolicy.Old,
  };
  return config as unknown as WantedConfig;
}

/** The part of a bucket's stream that its declaration speaks of; the client of the bucket sets the rest. */
export function wantedBucketConfig(bucket: DeclaredBucket, replicas = 1): WantedConfig {
  return {
    name: `KV_${bucket.name}`,
    num_replicas: replicas,
    max_msgs_per_subject: bucket.history,
    max_bytes: bucket.max_bytes,
    ...(bucket.marker_ttl_sec
      ? { allow_msg_ttl: true, subject_delete_marker_ttl: bucket.marker_ttl_sec * 1_000_000_000 }
      : {}),
  };
}

async function provisionStream(broker: Broker, stream: DeclaredShard, replicas: number): Promise<void> {
  const wanted = wantedStreamConfig(stream, replicas);
  const known = await broker.jsm.streams.info(stream.name).catch(() => null);
  if (known) await broker.jsm.streams.update(stream.name, wanted);
  else await broker.jsm.streams.add(wanted);
}

/**
 * Publishes a policy under its digest and puts it in force. Throws with every problem when it breaks the schema;
 * then nothing changes and the policy before stays in force.
 */
export async function activatePolicy(
  broker: Broker,
  policy: Policy,
  activatedBy: 'provisioner' | 'operator' = 'provisioner',
): Promise<string> {
  const checked = policySchema.safeParse(policy);
  if (!checked.success) {
    const problems = issuesOf(checked.error).map((issue) => `${issue.path}: ${issue.message}`);
    throw new Error(`the policy is not usable: ${problems.join('; ')}`);
  }
  const digest = policyDigestOf(checked.data);
  const document = { v: VERSION, id: randomUUID(), digest, policy: checked.data };
  try {
    const expect = { lastSeq: 0 };
    await broker.publisher.publish(policyPublished.subject(digest), encode(policyPublished, document), {
      expect,
    });
  } catch (error) {
    // The same digest is the same document: it was published before.
    if (error instanceof PublishRefused || (error as { code?: unknown }).code !== 10071) throw error;
  }
  const activation = { v: VERSION, id: randomUUID(), digest, activatedBy };
  await broker.publisher.publish(policyActivated.subject(null), encode(policyActivated, activation));
  return digest;
}
