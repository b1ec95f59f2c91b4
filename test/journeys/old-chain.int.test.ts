import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@orchestrate/test-kit';
import { describe, expect, it } from 'vitest';
import { startPlatformFixture } from './platform-fixture.ts';
import { chainOf, decided, readyTenant, request } from './tenant-fixture.ts';

describe('the chain of a tenant that was silent for longer than the stream keeps records', () => {
  it('goes on after the record that is only in the archive, instead of being refused for ever [A13]', async () => {
    await using fixture = await startPlatformFixture({
      services: [{ name: 'layer-runtime' }, { name: 'truth-aggregator' }, { name: 'dispatch-governance' }],
    });
    const { broker, platform } = fixture;
    await readyTenant(broker, 'acme', { capPerDay: 10 });
    await request(broker, 'acme', 1);
    await decided(broker, 'acme', 1, { kind: 'APPROVE' });
    const [first] = await chainOf(broker, 'acme');

    const { config } = await broker.jsm.streams.info('DECISIONS');
    await broker.jsm.streams.update('DECISIONS', { max_age: 1e9, duplicate_window: 1e9 });
    await eventually('the record is forgotten', async () => (await chainOf(broker, 'acme')).length === 0);
    await broker.jsm.streams.update('DECISIONS', {
      max_age: config.max_age,
      duplicate_window: config.duplicate_window,
    });

    await request(broker, 'acme', 2);
    await decided(broker, 'acme', 2, { kind: 'APPROVE', ordinal: 2, prevSeq: first!.seq });
    // The ledger that was saved, and not the stream, knows of the slot and the recipient.
    await sleep(1_500);
    await platform.supervisor.kill('dispatch-governance-1');
    await request(broker, 'acme', 3);
    const third = await decided(broker, 'acme', 3, { kind: 'APPROVE', ordinal: 3 });
    expect(third.reserved?.ordinal).toBe(3);
  });
});
