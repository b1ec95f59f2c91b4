import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CRASH_POINTS, type CrashPoint } from '@orchestrate/messaging';
import { eventually } from '@orchestrate/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fleet, PARTITIONED, startFleet } from './fleet.ts';
import { Journal } from './journal.ts';
import { Load } from './load.ts';
import { Random } from './random.ts';
import { settleAndCheck } from './settle.ts';

const TENANTS = ['acme', 'birch', 'cedar', 'delta', 'elm', 'fjord'];
const CHAIN: ReadonlySet<CrashPoint> = new Set([
  'before_chain_record',
  'chain_record_sent',
  'chain_record_stored',
  'before_ledger_save',
  'ledger_half_saved',
]);
/** What a mark vouches for matters when there is more to do than it can vouch for. */
const UNDER_BURSTS: ReadonlySet<CrashPoint> = new Set([
  'before_ledger_save',
  'ledger_half_saved',
  'before_mark',
  'after_mark',
]);
/** Late enough that all partitions are taken and the load has arrived, where the point is passed that often. */
const NTH: Partial<Record<CrashPoint, number>> = {
  during_hydration: 20,
  hydrated_before_reading: 20,
  input_received: 40,
  handled_before_publish: 40,
  publish_sent: 80,
  ack_received: 80,
  before_ledger_save: 5,
  ledger_half_saved: 5,
  before_mark: 6,
  after_mark: 6,
  during_release: 3,
};

let dataDir: string;
let fleet: Fleet;
let load: Load;
const journal = new Journal();
/** The point at which the next process of an instance dies; the one after it lives. */
const armed = new Map<string, string>();
const deaths: string[] = [];

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'orchestrate-test-'));
  fleet = await startFleet({
    dataDir,
    instances: 1,
    envOf(instance) {
      const at = armed.get(instance);
      armed.delete(instance);
      return at ? { ORCHESTRATE_CRASH_AT: at } : {};
    },
    onLine(instance, line) {
      if (line.startsWith('dies at ')) deaths.push(`${instance} ${line}`);
    },
  });
  load = new Load(await fleet.connect('load'), journal, new Random(5), TENANTS, 1);
  await load.prepare();
});
afterAll(async () => {
  await load.close();
  await fleet[Symbol.asyncDispose]();
  rmSync(dataDir, { recursive: true });
});

describe('nothing is lost, doubled or out of order when a service dies', () => {
  it.each(CRASH_POINTS)(
    'at %s [T2 A13 G32]',
    async (point) => {
      const dying = CHAIN.has(point) ? ['dispatch-governance'] : PARTITIONED;
      const instances = dying.map((name) => `${name}-1`);
      deaths.length = 0;
      load.start();
      await Promise.all(
        instances.map(async (instance) => {
          armed.set(instance, `${point}:${NTH[point] ?? 10}`);
          // Asked to stop, so that this is not one more death.
          await fleet.supervisor.kill(instance, 'SIGTERM');
          if (point === 'during_release') await fleet.supervisor.kill(instance, 'SIGTERM');
        }),
      );
      const isDead = (instance: string) => deaths.includes(`${instance} dies at ${point}`);
      await eventually(
        'all of them die',
        async () => {
          if (instances.every(isDead)) return true;
          if (UNDER_BURSTS.has(point)) await load.burst(20);
          await sleep(200);
          return false;
        },
        40_000,
      );
      await load.pause();
      expect((await settleAndCheck(fleet, journal)).violations).toEqual([]);
      expect(deaths, 'each of them once').toHaveLength(instances.length);
    },
    180_000,
  );
});
