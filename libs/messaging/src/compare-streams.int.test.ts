import { startTestBroker, type TestBroker } from '@orchestrate/test-kit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { compareStreams } from './compare-streams.ts';
import { provisionStreams, readStreamsFile } from './provision-streams.ts';

let server: TestBroker;
beforeEach(async () => {
  server = await startTestBroker();
});
afterEach(() => server[Symbol.asyncDispose]());

test('a server that was provisioned is as declared', async () => {
  expect(await compareStreams(server.broker)).toEqual([]);
});

test('what was changed by hand is named, field by field, and the next provisioning mends it', async () => {
  const { streams } = server.broker.jsm;
  await streams.update('POLICY', { max_bytes: 1_048_576 });
  await streams.update('EVIDENCE', { max_msgs: 10 });
  await streams.update('CONFIG', { subject_transform: { src: 'config.*.*', dest: 'config.0.$1.$2' } });
  await streams.update('KV_OWNERS', { max_bytes: 1_048_576 });
  await streams.delete('SUPPRESSIONS');
  await streams.delete('KV_PRESENCE');

  const different = { kind: 'different' };
  expect(await compareStreams(server.broker)).toEqual([
    {
      ...different,
      stream: 'CONFIG',
      field: 'subject_transform',
      wanted: expect.anything(),
      found: expect.anything(),
    },
    { ...different, stream: 'POLICY', field: 'max_bytes', wanted: 67_108_864, found: 1_048_576 },
    { ...different, stream: 'EVIDENCE', field: 'max_msgs', wanted: -1, found: 10 },
    { kind: 'missing', stream: 'SUPPRESSIONS' },
    { kind: 'missing', stream: 'KV_PRESENCE' },
    { ...different, stream: 'KV_OWNERS', field: 'max_bytes', wanted: 67_108_864, found: 1_048_576 },
  ]);

  await provisionStreams(server.broker);
  expect(await compareStreams(server.broker)).toEqual([]);
});

test('a transform that nobody declared is a difference, and provisioning takes it away', async () => {
  const { streams } = server.broker.jsm;
  await streams.update('OUTCOMES', { subject_transform: { src: 'outcome.*.*.*', dest: 'outcome.0.$2.$3' } });
  expect(await compareStreams(server.broker)).toMatchObject([
    { stream: 'OUTCOMES', field: 'subject_transform' },
  ]);
  await provisionStreams(server.broker);
  expect(await compareStreams(server.broker)).toEqual([]);
});

test('the order of subjects is no difference', async () => {
  const { config } = await server.broker.jsm.streams.info('LEDGER');
  await server.broker.jsm.streams.update('LEDGER', { subjects: config.subjects.toReversed() });
  expect((await server.broker.jsm.streams.info('LEDGER')).config.subjects).toEqual(
    config.subjects.toReversed(),
  );
  expect(await compareStreams(server.broker)).toEqual([]);
});

test('a stream or bucket that is on fewer servers than declared is a difference', async () => {
  const declared = { ...readStreamsFile(), replicas: 3 as const };
  const found = await compareStreams(server.broker, declared);
  const names = [
    ...declared.streams.map(({ name }) => name),
    ...declared.buckets.map(({ name }) => `KV_${name}`),
  ];
  expect(found).toEqual(
    names.map((stream) => ({ kind: 'different', stream, field: 'num_replicas', wanted: 3, found: 1 })),
  );
});
