import { partitionOf } from '@orchestrate/canon';
import type { DecisionRecorded } from '@orchestrate/contracts';
import type { Broker } from '@orchestrate/messaging';
import { eventually } from '@orchestrate/test-kit';
import { describe, expect, it } from 'vitest';
import { GAPLESS_POLICY, startPlatformFixture } from './platform-fixture.ts';
import { chainOf, command, decided, expectUnbroken, rejections, request } from './tenant-fixture.ts';

/** Nobody waits for a truth: there is none, and a tenant that is frozen is blocked without. */
const IMPATIENT = { ...GAPLESS_POLICY, dispatch: { ...GAPLESS_POLICY.dispatch, staleWaitSec: 0 } };
const REQUESTS = 4_000;
const NOISY = 'noisy';

/** Another tenant of the same partition. */
function neighbourOf(tenantId: string): string {
  for (let n = 0; ; n++) if (partitionOf(`quiet-${n}`) === partitionOf(tenantId)) return `quiet-${n}`;
}

async function decidedCount(broker: Broker): Promise<number> {
  const subject = `decision.${partitionOf(NOISY)}.${NOISY}.BLOCK`;
  const { state } = await broker.jsm.streams.info('DECISIONS', { subjects_filter: subject });
  return state.subjects?.[subject] ?? 0;
}

describe('a tenant that asks for more than fits at its desk, in two instances that are killed in turn', () => {
  it('gets one decision on each request, in order, and its neighbour gets its own meanwhile [T2 A13]', async () => {
    await using fixture = await startPlatformFixture({
      services: [{ name: 'dispatch-governance' }, { name: 'dispatch-governance' }],
      policy: IMPATIENT,
    });
    const { broker, platform } = fixture;
    const quiet = neighbourOf(NOISY);
    for (const tenantId of [NOISY, quiet]) {
      await command(broker, tenantId, 'freeze');
      await eventually('it is frozen', async () => (await chainOf(broker, tenantId)).length === 1);
    }
    for (let n = 1; n <= REQUESTS; n += 500) {
      await Promise.all(Array.from({ length: 500 }, (_, at) => request(broker, NOISY, n + at)));
    }
    for (let kill = 1; kill <= 2; kill++) {
      await request(broker, quiet, kill);
      await decided(broker, quiet, kill, { kind: 'BLOCK', decidingOutcome: 'frozen' });
      expect(await decidedCount(broker)).toBeLessThan(REQUESTS);
      await platform.supervisor.kill(`dispatch-governance-${kill}`);
    }
    await eventually('all are decided', async () => (await decidedCount(broker)) >= REQUESTS, 120_000);
    const chain = await chainOf(broker, NOISY);
    expectUnbroken(chain);
    const seqs = chain.slice(1).map(({ record }) => (record as DecisionRecorded).requestSeq);
    expect(new Set(seqs).size).toBe(REQUESTS);
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
    expect(await rejections(broker)).toEqual([]);
  }, 240_000);
});
