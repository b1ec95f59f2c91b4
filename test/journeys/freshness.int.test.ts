import { setTimeout as sleep } from 'node:timers/promises';
import { dispatches, type Policy } from '@orchestrate/canon';
import { describe, expect, it } from 'vitest';
import { eventually, GAPLESS_POLICY, startPlatformFixture } from './platform-fixture.ts';
import { decided, decisions, readyTenant, request } from './tenant-fixture.ts';

const IMPATIENT: Policy = {
  ...GAPLESS_POLICY,
  dispatch: { ...GAPLESS_POLICY.dispatch, cadenceSec: 1, staleWaitSec: 2 },
};

describe('a platform whose layer-runtime is dead', () => {
  it('does not look fresh: requests wait, are held for it alone, and are approved when it is back', async () => {
    await using fixture = await startPlatformFixture({
      services: [{ name: 'layer-runtime' }, { name: 'truth-aggregator' }, { name: 'dispatch-governance' }],
      policy: IMPATIENT,
    });
    const { broker, platform } = fixture;
    await readyTenant(broker, 'acme');
    await request(broker, 'acme', 1);
    await decided(broker, 'acme', 1, { kind: 'APPROVE' });

    const { pid } = platform.supervisor.list().find((one) => one.name === 'layer-runtime')!;
    process.kill(pid!, 'SIGSTOP');
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
});
