import { dispatches, type Policy, partitionOf } from '@orchestrate/canon';
import { ALL_TENANTS, sendCommand } from '@orchestrate/client';
import type { DecisionRecorded, InterventionRecorded } from '@orchestrate/contracts';
import { ledgerSaved } from '@orchestrate/contracts';
import { type Broker, decodeLenient, readLast } from '@orchestrate/messaging';
import { eventually } from '@orchestrate/test-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GAPLESS_POLICY, type PlatformFixture, startPlatformFixture } from './platform-fixture.ts';
import {
  chainOf,
  command,
  decided,
  expectUnbroken,
  readyTenant,
  request,
  truthOf,
} from './tenant-fixture.ts';

/** Nobody here may look stale only because the services behind the truth are stopped for a while. */
const PATIENT: Policy = { ...GAPLESS_POLICY, dispatch: { ...GAPLESS_POLICY.dispatch, cadenceSec: 600 } };
const BEHIND_THE_TRUTH = ['layer-runtime', 'truth-aggregator'];

let fixture: PlatformFixture;
let broker: Broker;
beforeEach(async () => {
  fixture = await startPlatformFixture({
    services: [...BEHIND_THE_TRUTH, 'dispatch-governance'].map((name) => ({ name })),
    policy: PATIENT,
  });
  broker = fixture.broker;
});
afterEach(async () => {
  signalTruth('SIGCONT');
  await fixture[Symbol.asyncDispose]();
});

/** SIGSTOP: from then on the truth learns of nothing, and nobody notices. */
function signalTruth(signal: 'SIGSTOP' | 'SIGCONT'): void {
  for (const { name, pid } of fixture.platform.supervisor.list()) {
    if (BEHIND_THE_TRUTH.includes(name)) process.kill(pid!, signal);
  }
}

async function interventions(tenantId: string): Promise<InterventionRecorded[]> {
  const records = (await chainOf(broker, tenantId)).map((link) => link.record);
  return records.filter((record) => record.kind === 'INTERVENTION');
}

const onRecord = (tenantId: string, count: number) =>
  eventually(`${count} interventions of ${tenantId} are on record`, async () => {
    return (await interventions(tenantId)).length === count;
  });

const everything = (name: 'freeze' | 'unfreeze') =>
  sendCommand(broker, { tenantId: ALL_TENANTS, command: name, actor: 'test', reasonCode: 'incident' });

/** The truth that this decision cites is one that knows of no freeze, and it was fresh. */
async function expectUnaware(record: DecisionRecorded): Promise<void> {
  const truth = await truthOf(broker, record.tenantId);
  expect(truth?.layers.governance.state).toBe('ready');
  expect(record).toMatchObject({ fresh: true, truth: { epoch: truth!.epoch } });
}

/** Nothing is released between the record of a freeze and the one of its end. */
async function expectNothingReleasedWhileFrozen(tenantId: string): Promise<void> {
  const chain = await chainOf(broker, tenantId);
  expectUnbroken(chain);
  const frozen = new Set<string>();
  for (const { record } of chain) {
    if (record.kind === 'INTERVENTION' && record.command === 'freeze') frozen.add(String(record.scope));
    else if (record.kind === 'INTERVENTION' && record.command === 'unfreeze')
      frozen.delete(String(record.scope));
    else if (frozen.size > 0)
      expect([record.ordinal, dispatches(record.kind as never)]).toEqual([record.ordinal, false]);
  }
}

describe('a freeze of which the truth never hears', () => {
  it('blocks from its record to the record of its end, also after governance was killed [G31]', async () => {
    await readyTenant(broker, 'acme', { capPerDay: 50 });
    await request(broker, 'acme', 1);
    expect(await decided(broker, 'acme', 1, { kind: 'APPROVE' })).toMatchObject({ freezes: [] });
    signalTruth('SIGSTOP');

    await command(broker, 'acme', 'freeze');
    await onRecord('acme', 1);
    await Promise.all(Array.from({ length: 20 }, (_, n) => request(broker, 'acme', 100 + n)));
    for (let n = 100; n < 120; n++) {
      const frozen = { kind: 'BLOCK', decidingOutcome: 'frozen', decidingGate: 1 } as const;
      const record = await decided(broker, 'acme', n, { ...frozen, freezes: ['freeze'] });
      await expectUnaware(record);
      expect(record.gates[0]?.because).toMatchObject([
        { fact: 'freeze', reason: 'freeze', owner: 'operator' },
      ]);
    }

    await eventually('the freeze is saved', async () => {
      const subject = ledgerSaved.subject({ p: partitionOf('acme'), tenantId: 'acme' });
      const stored = await readLast(broker, 'LEDGER', subject);
      return stored && decodeLenient(ledgerSaved, stored.data).freezes.join() === 'freeze';
    });
    await fixture.platform.supervisor.kill('dispatch-governance-1');
    await request(broker, 'acme', 2);
    await expectUnaware(await decided(broker, 'acme', 2, { kind: 'BLOCK', decidingOutcome: 'frozen' }));

    await command(broker, 'acme', 'unfreeze');
    await onRecord('acme', 2);
    await request(broker, 'acme', 3);
    await decided(broker, 'acme', 3, { kind: 'APPROVE', freezes: [] });
    await expectNothingReleasedWhileFrozen('acme');
  });

  it('and one of everything end each by their own record [G31]', async () => {
    await readyTenant(broker, 'acme', { capPerDay: 50 });
    await readyTenant(broker, 'birch', { capPerDay: 50 });
    signalTruth('SIGSTOP');
    await command(broker, 'acme', 'freeze');
    await everything('freeze');
    await onRecord('acme', 2);
    await onRecord('birch', 1);
    await request(broker, 'acme', 1);
    await request(broker, 'birch', 1);
    await decided(broker, 'acme', 1, { decidingOutcome: 'frozen', freezes: ['freeze', 'freeze_all'] });
    await expectUnaware(await decided(broker, 'birch', 1, { kind: 'BLOCK', freezes: ['freeze_all'] }));

    await everything('unfreeze');
    await onRecord('acme', 3);
    await onRecord('birch', 2);
    await request(broker, 'birch', 2);
    await decided(broker, 'birch', 2, { kind: 'APPROVE', freezes: [] });
    await request(broker, 'acme', 2);
    await expectUnaware(await decided(broker, 'acme', 2, { decidingOutcome: 'frozen', freezes: ['freeze'] }));
    expect((await interventions('acme')).map((one) => `${one.command} ${one.scope}`)).toEqual([
      'freeze tenant',
      'freeze all',
      'unfreeze all',
    ]);
    for (const tenantId of ['acme', 'birch']) await expectNothingReleasedWhileFrozen(tenantId);
  });
});
