import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type Fleet, type FleetOptions, startFleet } from './fleet.ts';
import { Journal } from './journal.ts';
import { Load } from './load.ts';
import { type Fault, NEMESES, type NemesisName } from './nemeses.ts';
import { Random } from './random.ts';
import { settleAndCheck } from './settle.ts';
import type { StoreContents } from './store-contents.ts';

const TENANTS = ['acme', 'birch', 'cedar', 'delta', 'elm', 'fjord'];

/** A fleet under load on a fresh store, ended with the test. */
export interface ChaosFixture extends AsyncDisposable {
  readonly fleet: Fleet;
  readonly load: Load;
  readonly journal: Journal;
  /** Breaks something as the seed draws it, and heals it. */
  inflict(name: NemesisName): Promise<Fault>;
  /** Lets everything come to rest; nothing may be wrong then. Gives what stands there. */
  expectSound(): Promise<StoreContents>;
}

export async function startChaosFixture(
  options: Omit<FleetOptions, 'dataDir'> & { readonly seed?: number },
): Promise<ChaosFixture> {
  await using started = new AsyncDisposableStack();
  const dataDir = mkdtempSync(join(tmpdir(), 'orchestrate-test-'));
  started.defer(() => rmSync(dataDir, { recursive: true, force: true }));
  const onLine = (instance: string, line: string) => {
    options.onLine?.(instance, line);
    if (process.env.ORCHESTRATE_TEST_LOG) process.stderr.write(`${instance} ${line}\n`);
  };
  const fleet = started.use(await startFleet({ ...options, dataDir, onLine }));
  const journal = new Journal();
  const random = new Random(options.seed ?? 1);
  const load = new Load(await fleet.connect('load'), journal, random, TENANTS, 1);
  started.defer(() => load.close());
  await load.prepare();
  const running = started.move();
  return {
    fleet,
    load,
    journal,
    async inflict(name) {
      const fault = NEMESES[name](fleet.instances, random);
      await fault.inflict({ fleet, load, tenants: TENANTS });
      return fault;
    },
    async expectSound() {
      await load.pause();
      const { violations, contents } = await settleAndCheck(fleet, journal);
      expect(violations).toEqual([]);
      return contents;
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
