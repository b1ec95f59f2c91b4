export {
  AckPublisher,
  type Expectation,
  PublishConflict,
  PublishRefused,
  PublishUncertain,
  type Stored,
} from './ack-publisher.ts';
export {
  ContractViolation,
  checkAddress,
  decodeLenient,
  decodeStrict,
  encode,
  UnsupportedVersion,
} from './codec.ts';
export { compareStreams, type StreamDifference } from './compare-streams.ts';
export { type Broker, connectBroker } from './connect.ts';
export { CRASH_POINTS, type CrashPoint, crashPoint } from './crash-point.ts';
export { DeadlineHeap } from './deadline-heap.ts';
export { type Due, DueHeap } from './due-heap.ts';
export {
  FoldingPublisher,
  type Head,
  type Produce,
  type Produced,
  PublishAbandoned,
  storeUntilCertain,
} from './folding-publisher.ts';
export { OwnerLoop, type OwnerLoopStatus } from './owner-loop.ts';
export type {
  PartitionContext,
  PartitionedService,
  PartitionInput,
  PartitionWorker,
  Positions,
} from './partitioned-service.ts';
export { PRESENCE_BUCKET, Presence } from './presence.ts';
export {
  activatePolicy,
  provisionStreams,
  readStreamsFile,
  type StreamsFile,
  type WantedConfig,
  wantedBucketConfig,
  wantedStreamConfig,
} from './provision-streams.ts';
export { rejectInput } from './rejections.ts';
export { ownerOf } from './rendezvous.ts';
export { otherShards, shardsOf } from './shard-declaration.ts';
export { referenceTo, type StoredMessage } from './stored-message.ts';
export { countMessages, countStored, lastSeqOf, purgeStored } from './stream-contents.ts';
export { ReadRefused, readAt, readFirst, readLast, readLastOfEach, readNext } from './stream-lookup.ts';
export {
  type Newest,
  newestFitting,
  type ReadRange,
  readHeads,
  readNewest,
  readStored,
  type StoredHead,
  StreamFollower,
} from './stream-reader.ts';
export { isSharded, type ShardCount, type StreamPart, StreamShards } from './stream-shards.ts';
export { untilAnswered } from './until-answered.ts';
