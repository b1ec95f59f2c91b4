import { setTimeout as sleep } from 'node:timers/promises';
import { PARTITIONS } from '@orchestrate/canon';
import { ownerOf } from '@orchestrate/messaging';
import type { Fleet } from './fleet.ts';
import type { Load } from './load.ts';
import { leaderOf } from './nats-cluster.ts';
import type { Random } from './random.ts';
import {
  commandMessage,
  evidenceMessage,
  garbageMessage,
  type Outgoing,
  requestMessage,
  violationMessage,
} from './tenant.ts';

/** What is broken, and with what: the fleet, the load that runs, and the tenants that it is for. */
export interface Stage {
  readonly fleet: Fleet;
  readonly load: Load;
  readonly tenants: readonly string[];
}

/** A fault with everything drawn that it needs, so that the same seed plans the same. It heals what it broke. */
export interface Fault {
  /** What happens to whom, for people. */
  readonly told: string;
  readonly inflict: (stage: Stage) => Promise<void>;
}

export type Nemesis = (instances: readonly string[], random: Random) => Fault;

/** Presence ends after three seconds: who sleeps longer wakes up as somebody who lost everything and does not know. */
const ZOMBIE_MS = [3_500, 5_000] as const;
const INPUTS: Readonly<Record<string, readonly string[]>> = {
  'layer-runtime': ['EVIDENCE', 'CONFIG', 'OPERATOR'],
  'truth-aggregator': ['LAYERS', 'CONFIG'],
  'dispatch-governance': ['REQUESTS', 'TRUTH', 'OUTCOMES', 'OPERATOR', 'CONFIG'],
};
/** These refuse what is new when they are full; the others forget what is old, which is another matter. */
const REFUSING = ['EVIDENCE', 'REQUESTS', 'DECISIONS', 'OUTCOMES', 'OPERATOR'] as const;
/** Room for some more messages, so that the stream fills up under the load. */
const HEADROOM_BYTES = 1_024;

const serviceOf = (instance: string): string => instance.replace(/-\d+$/, '');

export const NEMESES = {
  kill(instances, random) {
    const instance = random.pick(instances);
    return { told: `kill ${instance}`, inflict: ({ fleet }) => fleet.supervisor.kill(instance) };
  },

  stop(instances, random) {
    const instance = random.pick(instances);
    return { told: `stop ${instance}`, inflict: ({ fleet }) => fleet.supervisor.kill(instance, 'SIGTERM') };
  },

  zombie(instances, random) {
    const instance = random.pick(instances);
    const awayMs = random.between(...ZOMBIE_MS);
    return {
      told: `zombie ${instance} for ${awayMs} ms`,
      async inflict({ fleet }) {
        const pid = fleet.supervisor.list().find((one) => one.instance === instance)?.pid;
        if (!pid || !signal(pid, 'SIGSTOP')) return;
        await sleep(awayMs);
        signal(pid, 'SIGCONT');
      },
    };
  },

  twin(instances, random) {
    const instance = random.pick(instances);
    const besideMs = random.between(2_500, 4_000);
    return {
      told: `twin of ${instance} for ${besideMs} ms`,
      async inflict({ fleet }) {
        const twin = fleet.startTwin(instance);
        await sleep(besideMs);
        await fleet.supervisor.stop(twin, 'SIGKILL');
      },
    };
  },

  server(_instances, random) {
    const awayMs = random.between(0, 800);
    return {
      told: `server away for ${awayMs} ms`,
      async inflict({ fleet }) {
        const leader = await leaderOf(fleet.broker, 'DECISIONS', fleet.servers);
        const server = leader ?? fleet.servers[0];
        if (!server) return;
        await server.kill();
        await sleep(awayMs);
        await server.restart();
      },
    };
  },

  consumers(instances, random) {
    const instance = random.pick(instances);
    return {
      told: `consumers of ${instance} deleted`,
      inflict: ({ fleet }) => deleteConsumers(fleet, instance),
    };
  },

  poison(_instances, random) {
    const kind = random.pick(['evidence', 'request', 'command'] as const);
    const isTorn = random.chance(0.5);
    const drawn = random.between(0, 1_000_000);
    return {
      told: `${isTorn ? 'torn' : 'illegal'} ${kind}`,
      async inflict({ load, tenants }) {
        const like = messageOf(kind, tenants[drawn % tenants.length]!, drawn);
        await load.send(isTorn ? garbageMessage(like) : violationMessage(like));
      },
    };
  },

  full(_instances, random) {
    const stream = random.pick(REFUSING);
    const fullMs = random.between(800, 2_000);
    return {
      told: `${stream} full for ${fullMs} ms`,
      inflict: ({ fleet }) => fillUp(fleet, stream, fullMs),
    };
  },
} as const satisfies Record<string, Nemesis>;
export type NemesisName = keyof typeof NEMESES;
export const NEMESIS_NAMES = Object.keys(NEMESES) as readonly NemesisName[];

/** False when the process is not there any more. */
function signal(pid: number, name: 'SIGSTOP' | 'SIGCONT'): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

/** All consumers of the partitions that an instance owns now, on every stream that its service reads. */
export async function deleteConsumers({ broker, instances }: Fleet, instance: string): Promise<void> {
  const service = serviceOf(instance);
  const members = instances.filter((one) => serviceOf(one) === service);
  const owned = new Set(
    Array.from({ length: PARTITIONS }, (_, p) => p)
      .filter((p) => ownerOf(p, members) === instance)
      .map(String),
  );
  for (const stream of INPUTS[service] ?? []) {
    for await (const { name, config } of broker.jsm.consumers.list(stream)) {
      const filters = config.filter_subjects ?? [config.filter_subject ?? ''];
      if (filters.some((filter) => owned.has(filter.split('.')[1] ?? '')))
        await broker.jsm.consumers.delete(stream, name).catch(() => {});
    }
  }
}

/** A stream takes only a little more for a while. What it holds stays below its limit, or it would forget it. */
export async function fillUp({ broker }: Fleet, stream: string, fullMs: number): Promise<void> {
  const { config, state } = await broker.jsm.streams.info(stream);
  await broker.jsm.streams.update(stream, { ...config, max_bytes: state.bytes + HEADROOM_BYTES });
  await sleep(fullMs);
  for (;;) {
    try {
      await broker.jsm.streams.update(stream, config);
      return;
    } catch {
      await sleep(100);
    }
  }
}

function messageOf(kind: 'evidence' | 'request' | 'command', tenantId: string, n: number): Outgoing {
  if (kind === 'evidence') return evidenceMessage(tenantId, 'sending_domain', 'main', { dkimKeyBits: n });
  if (kind === 'request') return requestMessage(tenantId, n);
  return commandMessage(tenantId, 'freeze');
}
