import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { type ClientHttp2Session, connect } from 'node:http2';
import { join } from 'node:path';
import { readStored } from '@orchestrate/messaging';
import type { Bench } from '../bench.ts';
import { atLeast } from '../result.ts';
import { spreadOf } from '../spread.ts';
import { type FlipMessage, Flips } from './flips.ts';
import { eachInFlight, IN_FLIGHT } from './in-flight.ts';
import { machineLine } from './machine.ts';
import { LastSeqs, MarkWatch } from './mark-watch.ts';
import { ensureRestateServer, RestateServer } from './restate-server.ts';
import { Rig, SYNC_INTERVAL } from './rig.ts';
import { declareTenants, tenantNames } from './tenant-facts.ts';
import { waitFor } from './wait.ts';

const RATIO_MIN = 6;
const RATIO_AIM = 10;
const TENANTS = 300;
const SESSIONS = 4;

interface Plan {
  readonly rounds: number;
  readonly messages: number;
}
const FULL: Plan = { rounds: 5, messages: 12_000 };
const QUICK: Plan = { rounds: 2, messages: 3_000 };

export const peerBench: Bench = {
  name: 'peer',
  about: 'evidence to the durable state of a layer, against the same fold on Restate',
  async run({ quick, print }) {
    print(await machineLine());
    const plan = quick ? QUICK : FULL;
    print(
      `peer: ${TENANTS} tenants, ${plan.messages} messages a round, sync_interval ${SYNC_INTERVAL}, Restate by its defaults\n`,
    );
    const path = await ensureRestateServer(print);
    if (!path) return [];
    const rounds = await compare(path, plan, { fsync: true });
    for (const [index, { ours, theirs }] of rounds.entries()) {
      print(`  round ${index + 1} ${told(ours, theirs)}\n`);
    }
    const times = spreadOf(rounds.map(({ ours, theirs }) => ours / theirs));
    const result = atLeast(
      'peer',
      {
        ours: spreadOf(rounds.map(({ ours }) => ours)).median,
        reference: spreadOf(rounds.map(({ theirs }) => theirs)).median,
        unit: 'msg/s',
      },
      RATIO_MIN,
      times.median,
    );
    print(
      `  ${result.pass ? 'passed' : 'MISSED'}: ${times.median.toFixed(2)} times Restate (${times.min.toFixed(2)} to ${times.max.toFixed(2)}), at least ${RATIO_MIN} wanted, ${RATIO_AIM} aimed at\n`,
    );
    if (!quick) {
      const lazy = await compare(path, { ...plan, rounds: 2 }, { fsync: false });
      for (const { ours, theirs } of lazy) {
        print(`  Restate told not to wait for the disk (no bound): ${told(ours, theirs)}\n`);
      }
    }
    return [result];
  },
};

const told = (ours: number, theirs: number) =>
  `${ours.toFixed(0).padStart(7)} msg/s  Restate ${theirs.toFixed(0).padStart(6)} msg/s  ${(ours / theirs).toFixed(2)} times`;

interface Round {
  readonly ours: number;
  readonly theirs: number;
}

/** Both stay up and take turns; the first round warms up. */
async function compare(
  path: string,
  plan: Plan,
  how: { readonly fsync: boolean },
): Promise<readonly Round[]> {
  await using rig = await Rig.start({ markEverySec: 1 });
  await rig.startService('layer-runtime');
  const tenants = tenantNames(TENANTS);
  await using layers = await LayerFold.start(rig);
  await declareTenants(rig.broker, tenants);
  await using server = await RestateServer.start(path, how);
  await using peer = await RestateFold.start(server);
  const flips = new Flips(tenants);
  const rounds: Round[] = [];
  for (let round = 0; round <= plan.rounds; round++) {
    const messages = flips.round(plan.messages);
    const theirsFirst = round % 2 === 0 ? await peer.perSecond(messages) : null;
    const ours = await layers.perSecond(messages);
    const measured = { ours, theirs: theirsFirst ?? (await peer.perSecond(messages)) };
    if (round > 0) rounds.push(measured);
  }
  return rounds;
}

/** Ours: evidence to LAYERS, and no further. */
class LayerFold implements AsyncDisposable {
  readonly #rig: Rig;
  readonly #marks: MarkWatch;

  private constructor(rig: Rig, marks: MarkWatch) {
    this.#rig = rig;
    this.#marks = marks;
  }

  static async start(rig: Rig): Promise<LayerFold> {
    return new LayerFold(rig, await MarkWatch.start(rig.broker));
  }

  /** From the first publish to the store time of the last condition; the marks prove that it was the last. */
  async perSecond(messages: readonly FlipMessage[]): Promise<number> {
    const { publisher } = this.#rig.broker;
    const last = new LastSeqs();
    const begunAtMs = Date.now();
    await eachInFlight(messages, IN_FLIGHT, async ({ tenantId, subject, data }) => {
      last.stored(tenantId, (await publisher.publish(subject, data)).seq);
    });
    await waitFor('conditions that reflect all evidence', () =>
      [...last.byPartition].every(([p, seq]) => this.#marks.layersReflect(p, seq)),
    );
    let endedAtMs = 0;
    const filters = ['layer.*.*.*.*'];
    for await (const { storedAtMs } of readStored(this.#rig.broker, { stream: 'LAYERS', filters })) {
      endedAtMs = Math.max(endedAtMs, storedAtMs);
    }
    return (messages.length * 1000) / (endedAtMs - begunAtMs);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#marks[Symbol.asyncDispose]();
  }
}

/** Theirs: a virtual object for each source, invoked one way over the HTTP ingress, which answers when that is durable. */
class RestateFold implements AsyncDisposable {
  readonly #server: RestateServer;
  readonly #child: ChildProcess;
  readonly #sessions: readonly ClientHttp2Session[];
  #told = 0;

  private constructor(server: RestateServer, child: ChildProcess) {
    this.#server = server;
    this.#child = child;
    this.#sessions = Array.from({ length: SESSIONS }, () => connect(server.ingressUrl));
  }

  static async start(server: RestateServer): Promise<RestateFold> {
    const child = fork(join(import.meta.dirname, 'restate-fold.ts'), {
      env: { ...process.env, RESTATE_LOGGING: 'ERROR' },
    });
    const [{ port }] = (await once(child, 'message')) as [{ port: number }];
    await server.register(port);
    return new RestateFold(server, child);
  }

  /** From the first send until the last of all invocations has run. */
  async perSecond(messages: readonly FlipMessage[]): Promise<number> {
    const wanted = this.#told + messages.length;
    let turn = 0;
    const begunMs = performance.now();
    await eachInFlight(messages, IN_FLIGHT, ({ subject, data }) => {
      const [, tenantId, layer, source] = subject.split('.');
      const path = `/LayerFold/${tenantId}.${layer}.${source}/observe/send`;
      return post(this.#sessions[turn++ % SESSIONS]!, path, data);
    });
    await waitFor('the end of all invocations', async () => (await this.#count()) >= wanted, {
      everyMs: 20,
    });
    const perSecond = (messages.length * 1000) / (performance.now() - begunMs);
    // What ran may run again until its end is durable, so the state has the last word.
    await waitFor('the state of all objects', async () => (await this.#toldByState()) === wanted);
    this.#told = wanted;
    return perSecond;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.#sessions) session.destroy();
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
  }

  async #count(): Promise<number> {
    const answer = once(this.#child, 'message');
    this.#child.send({});
    return ((await answer) as [{ told: number }])[0].told;
  }

  async #toldByState(): Promise<number> {
    const sql = "SELECT value_utf8 AS told FROM state WHERE service_name = 'LayerFold' AND key = 'told'";
    const rows = await this.#server.query<{ told: string }>(sql);
    return rows.reduce((sum, row) => sum + Number(row.told), 0);
  }
}

function post(session: ClientHttp2Session, path: string, data: Uint8Array): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/octet-stream',
  });
  let status = 0;
  stream.on('response', (headers) => {
    status = headers[':status'] ?? 0;
  });
  stream.on('error', reject);
  stream.on('end', () => {
    if (status >= 200 && status < 300) resolve();
    else reject(new Error(`the ingress answered ${status} to ${path}`));
  });
  stream.resume();
  stream.end(data);
  return promise;
}
