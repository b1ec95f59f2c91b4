import { stateToBucket } from '@orchestrate/canon';
import { eventually } from '@orchestrate/test-kit';
import { describe, expect, it } from 'vitest';
import { startPlatformFixture } from './platform-fixture.ts';
import { configure, decisions, observeAll, readyTruth, request } from './tenant-fixture.ts';

describe('the way of one fact', () => {
  it('goes from evidence to a truth to an audited decision, and a cap is reserved and not only read [G29 G32]', async () => {
    await using fixture = await startPlatformFixture({
      services: [{ name: 'layer-runtime' }, { name: 'truth-aggregator' }, { name: 'dispatch-governance' }],
    });
    const { broker } = fixture;
    const tenantId = 'acme';
    await configure(broker, tenantId);
    await observeAll(broker, tenantId);

    const truth = await readyTruth(broker, tenantId);
    expect(truth.unknowns).toEqual([]);
    expect(truth.mode.resolved).toBe('autonomous');
    expect(truth.layers.billing.bucket).toBe(stateToBucket('ready'));

    for (let n = 1; n <= 5; n++) await request(broker, tenantId, n);
    const records = await eventually('five decisions', async () => {
      const found = await decisions(broker, tenantId);
      return found.length >= 5 ? found : null;
    });
    expect(records.map((record) => record.kind)).toEqual([
      'APPROVE',
      'APPROVE',
      'APPROVE',
      'HOLD_FOR_REPUTATION',
      'HOLD_FOR_REPUTATION',
    ]);
    expect(records[3]).toMatchObject({ decidingGate: 7, decidingOutcome: 'cap_reached', lane: 'watch' });
    expect(records.map((record) => record.ordinal)).toEqual([1, 2, 3, 4, 5]);
  });
});
