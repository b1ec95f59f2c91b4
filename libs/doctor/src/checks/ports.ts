import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { count } from '../figures.ts';
import { fail, type Judgement, ok } from '../finding.ts';
import { sentenceOf } from '../sentence-of.ts';
import type { Surroundings } from '../surroundings.ts';
import { type TcpTarget, withSocket } from '../tcp.ts';

const HOST = '127.0.0.1';
const ANSWER_MS_MAX = 2_000;

/** Who must answer where; a service that is not ready has no port yet. */
export function targetsOf({ address, local, isStoreHere }: Surroundings): Map<string, TcpTarget> {
  const targets = new Map<string, TcpTarget>();
  if (address !== null) {
    const at = address.lastIndexOf(':');
    const host = address.slice(0, at).replaceAll(/[[\]]/g, '');
    targets.set('nats-server', { host, port: Number(address.slice(at + 1)) });
  }
  if (local.kind !== 'up' || !isStoreHere) return targets;
  for (const { instance, healthPort } of local.run.services) {
    if (healthPort !== null) targets.set(instance, { host: HOST, port: healthPort });
  }
  return targets;
}

export function judgePorts(
  unbound: readonly string[],
  answers: ReadonlyMap<string, string | null>,
): Judgement {
  const silent = [...answers].filter(([, problem]) => problem !== null);
  const data = { canBind: unbound.length === 0, asked: answers.size, silent: silent.length };
  if (unbound.length > 0) {
    return fail(
      `no port on ${HOST} for ${unbound.join('; ')}`,
      'allow this user to open sockets on loopback (container, firewall, `ulimit -n`)',
      data,
    );
  }
  if (silent.length > 0) {
    return fail(
      `no answer from ${silent.map(([name, problem]) => `${name} (${problem})`).join(', ')}`,
      'see `platform` below; stop the platform with `orchestrate down` and start it again with `npm start`',
      data,
    );
  }
  const answered = answers.size > 0 ? `; ${count(answers.size, 'port')} of the platform answer` : '';
  return ok(`TCP and UDP on ${HOST} can be used${answered}`, data);
}

export async function checkPorts(here: Surroundings): Promise<Judgement> {
  const unbound = (await Promise.all([problemWith('TCP', bindTcp), problemWith('UDP', bindUdp)])).flat();
  const answers = await Promise.all(
    [...targetsOf(here)].map(async ([name, target]) => [name, await problemAt(target)] as const),
  );
  return judgePorts(unbound, new Map(answers));
}

async function problemWith(kind: string, bind: () => Promise<void>): Promise<string[]> {
  return bind().then(
    () => [],
    (error: unknown) => [`${kind} (${sentenceOf(error)})`],
  );
}

async function bindTcp(): Promise<void> {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  server.close();
}

async function bindUdp(): Promise<void> {
  const socket = createSocket('udp4');
  try {
    socket.bind(0, HOST);
    await once(socket, 'listening');
  } finally {
    socket.close();
  }
}

async function problemAt(target: TcpTarget): Promise<string | null> {
  return withSocket(target, ANSWER_MS_MAX, () => null).catch(sentenceOf);
}
