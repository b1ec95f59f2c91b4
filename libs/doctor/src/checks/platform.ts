import { isSameProcess, type RunFile, runLockHolder } from '@orchestrate/embedded';
import { count, duration } from '../figures.ts';
import { fail, type Judgement, ok, skipped, warn } from '../finding.ts';
import { healthOf, type ServiceHealth } from '../service-health.ts';
import type { Surroundings } from '../surroundings.ts';

const RESTART = 'stop the platform with `orchestrate down` and start it again with `npm start`';

/** What holds of a platform whose supervisor lives. */
export interface PlatformFound {
  readonly upForMs: number;
  /** Whether this platform holds the lock that keeps a second one away. */
  readonly isLockHeld: boolean;
  readonly isNatsAlive: boolean;
  readonly services: readonly ServiceHealth[];
}

export function judgePlatform({ upForMs, isLockHeld, isNatsAlive, services }: PlatformFound): Judgement {
  const unwell = services.filter(({ problem }) => problem !== null);
  const data = {
    isUp: true,
    upForMs,
    isLockHeld,
    isNatsAlive,
    services: services.length,
    unwell: unwell.length,
  };
  if (!isNatsAlive) {
    return fail('the process of nats-server is gone', `wait: it is brought back; else ${RESTART}`, data);
  }
  if (unwell.length > 0) {
    return fail(
      unwell.map(({ instance, problem }) => `${instance}: ${problem}`).join('; '),
      'read what these services log, in the terminal of the platform; one that died is brought back by itself',
      data,
    );
  }
  if (!isLockHeld) {
    return fail('the lock is not held: a second platform could start on the same store', RESTART, data);
  }
  return ok(
    `up for ${duration(upForMs)}, nats-server and ${count(services.length, 'service')} are well`,
    data,
  );
}

export async function checkPlatform(here: Surroundings): Promise<Judgement> {
  const { local, dataDir, address, isStoreHere } = here;
  if (!isStoreHere) return judgeServer(here);
  switch (local.kind) {
    case 'none': {
      const holder = runLockHolder(dataDir);
      if (holder) {
        const found = `the platform of ${dataDir} is starting or stopping (pid ${holder.pid})`;
        return warn(found, 'look again in a few seconds', { isUp: false });
      }
      return skipped(`no platform runs in ${dataDir}`, 'start one with `npm start`', { isUp: false });
    }
    case 'unreadable':
      return fail(local.problem, 'correct that, then start the platform with `npm start`', { isUp: false });
    case 'left_over': {
      const { nats, pid } = local.run;
      const orphan = isSameProcess(nats) ? `, and its nats-server (pid ${nats.pid}) still runs` : '';
      const found = `the platform of ${dataDir} (pid ${pid}) ended without stopping in order${orphan}`;
      return warn(found, 'start it with `npm start`: nothing is lost, and it clears up', { isUp: false });
    }
    case 'up':
      return address !== null && here.broker === null
        ? judgeServer(here)
        : judgePlatform(await lookAt(local.run, here));
  }
}

async function lookAt(run: RunFile, { dataDir, nowMs }: Surroundings): Promise<PlatformFound> {
  const holder = runLockHolder(dataDir);
  return {
    upForMs: nowMs() - Date.parse(run.startedAt),
    isLockHeld: holder?.pid === run.pid,
    isNatsAlive: isSameProcess(run.nats),
    services: await Promise.all(run.services.map(healthOf)),
  };
}

/** All that can be said of a server whose platform is not in this data directory. */
function judgeServer({ broker, address, problem, isStoreHere }: Surroundings): Judgement {
  const data = { isUp: broker !== null, address };
  if (broker)
    return ok(`nats-server at ${address} takes connections; its services are not looked at from here`, data);
  return fail(
    `nats-server at ${address} cannot be reached (${problem})`,
    isStoreHere
      ? RESTART
      : 'start it, or correct --nats-url (or NATS_URL), and the way to it (firewall, TLS, user)',
    data,
  );
}
