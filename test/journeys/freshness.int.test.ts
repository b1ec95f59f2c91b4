import { setTimeout as sleep } from 'node:timers/promises';
import { dispatches, type Policy, partitionOf } from '@orchestrate/canon';
import { ledgerMarked } from '@orchestrate/contracts';
import type { Platform } from '@orchestrate/embedded';
import { type Broker, readLast } from '@orchestrate/messaging';
import { eventually } from '@orchestrate/test-kit';
import { describe, expect, it } from 'vitest';
import { GAPLESS_POLICY, startPlatformFixture } from './platform-fixture.ts';
import { command, decided, decisions, readyTenant, request, truthOf } from './tenant-fixture.ts';

const SERVICES = ['layer-runtime', 'truth-aggregator', 'dispatch-governance'].map((name) => ({ name }));

const IMPATIENT: Policy = {
  ...GAPLESS_POLICY,
  dispatch: { ...GAPLESS_POLICY.dispatch, cadenceSec: 1, staleWaitSec: 2 },
};

describe('a platform whose layer-runtime is dead', () => {
  it('does not look fresh: requests wait, are held for it alone, and are approved when it is back [T14 G16]', async () => {
    await using fixture = await startPlatformFixture({
      services: SERVICES,
      policy: IMPATIENT,
    });
    const { broker, platform } = fixture;
    await readyTenant(broker, 'acme');
    await request(broker, 'acme', 1);
    await decided(broker, 'acme', 1, { kind: 'APPROVE' });

    process.kill(pidOf(platform, 'layer-runtime'), 'SIGSTOP');
    await sleep(4_000);
    await request(broker, 'acme', 2);
    await request(broker, 'acme', 3);
    await sleep(500);
    expect(await decisions(broker, 'acme')).toHaveLength(1);

    const held = await decided(broker, 'acme', 2, { fresh: false, reserved: null });
    expect(dispatches(held.kind)).toBe(false);
    const reasons = new Set<string>(held.gates.flatMap((gate) => gate.because.map((one) => one.reason)));
    expect(reasons).toContain('truth_stale');
    expect(reasons).not.toContain('ok');
    // Nobody is at fault and nobody has work: it waits where nobody has to look.
    expect(held.lane).toBe('watch');
    await decided(broker, 'acme', 3, { fresh: false });

    await platform.supervisor.kill('layer-runtime-1');
    for (const n of [2, 3]) {
      await decided(broker, 'acme', n, { kind: 'APPROVE', fresh: true });
    }
    const all = await decisions(broker, 'acme');
    expect(all.filter((one) => !one.fresh && dispatches(one.kind))).toEqual([]);
    expect(all.filter((one) => one.reserved).map((one) => one.reserved!.ordinal)).toEqual([1, 2, 3]);
    await eventually('and stays fresh', async () => {
      await request(broker, 'acme', 4);
      return decided(broker, 'acme', 4, { decidingOutcome: 'cap_reached' });
    });
  });

  it('does not make governance forget a request that waits for it, when governance dies meanwhile', async () => {
    await using fixture = await startPlatformFixture({
      services: SERVICES,
      policy: { ...IMPATIENT, dispatch: { ...IMPATIENT.dispatch, staleWaitSec: 600 } },
    });
    const { broker, platform } = fixture;
    await readyTenant(broker, 'acme');
    process.kill(pidOf(platform, 'layer-runtime'), 'SIGSTOP');
    await sleep(4_000);
    await request(broker, 'acme', 1);
    for (let mark = 0; mark < 2; mark++) await nextMark(broker, 'acme');
    await platform.supervisor.kill('dispatch-governance-1');
    expect(await decisions(broker, 'acme')).toEqual([]);
    process.kill(pidOf(platform, 'layer-runtime'), 'SIGCONT');
    await decided(broker, 'acme', 1, { kind: 'APPROVE', attempt: 1 });
  });
});

describe('a governance that starts again', () => {
  it('does not decide by an older truth than the newest, which it reads again on its way [T13]', async () => {
    await using fixture = await startPlatformFixture({ services: SERVICES, env: { CADENCE_SEC: '60' } });
    const { broker, platform } = fixture;
    await readyTenant(broker, 'acme', { capPerDay: 1_000 });
    for (let turn = 0; turn < 15; turn++) {
      for (const [kind, state] of [
        ['freeze', 'operator_review'],
        ['unfreeze', 'ready'],
      ] as const) {
        await command(broker, 'acme', kind);
        await eventually('the truth says so', async () => {
          return (await truthOf(broker, 'acme'))?.layers.governance.state === state;
        });
      }
    }
    await command(broker, 'acme', 'freeze');
    await eventually('the truth says so', async () => {
      return (await truthOf(broker, 'acme'))?.layers.governance.state === 'operator_review';
    });
    process.kill(pidOf(platform, 'dispatch-governance'), 'SIGSTOP');
    const requests = Array.from({ length: 60 }, (_, n) => n + 1);
    await Promise.all(requests.map((n) => request(broker, 'acme', n)));
    await platform.supervisor.kill('dispatch-governance-1');
    await eventually(
      'all are decided',
      async () => (await decisions(broker, 'acme')).length >= requests.length,
    );
    const kinds = (await decisions(broker, 'acme')).map((one) => `${one.kind} ${one.decidingOutcome}`);
    expect(new Set(kinds)).toEqual(new Set(['BLOCK frozen']));
  });
});

const pidOf = (platform: Platform, name: string): number =>
  platform.supervisor.list().find((one) => one.name === name)!.pid!;

/** Resolves when the ledger of the tenant's partition is marked anew. */
async function nextMark(broker: Broker, tenantId: string): Promise<void> {
  const subject = ledgerMarked.subject(partitionOf(tenantId));
  const before = await readLast(broker, 'LEDGER', subject);
  await eventually(
    'another mark',
    async () => (await readLast(broker, 'LEDGER', subject))?.seq !== before?.seq,
  );
}
