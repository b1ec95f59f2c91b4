import { PARTITIONS } from '@orchestrate/canon';
import { layerMarked, ledgerMarked, truthMarked } from '@orchestrate/contracts';
import { type Broker, readNewest } from '@orchestrate/messaging';
import { duration } from '../figures.ts';
import { fail, type Judgement, ok, warn } from '../finding.ts';
import type { Surroundings } from '../surroundings.ts';

/** In the way of a fact: a service whose marks are old makes those after it old as well. */
const MARKED = [
  { contract: layerMarked, filter: 'layer.*', service: 'layer-runtime' },
  { contract: truthMarked, filter: 'truth.*', service: 'truth-aggregator' },
  { contract: ledgerMarked, filter: 'ledger.*', service: 'dispatch-governance' },
] as const;

const CADENCE_SEC = 30;
const CADENCES_MAX = 2;

export interface MarksFound {
  readonly stream: string;
  readonly service: string;
  /** Up to when each partition that has a mark is complete, ms since the epoch. */
  readonly asOfMs: ReadonlyMap<number, number>;
}

export interface MarksWanted {
  readonly nowMs: number;
  readonly ageMsMax: number;
  /** How long the platform has been up; null when nobody knows. */
  readonly upForMs: number | null;
}

export function judgeMarks(found: readonly MarksFound[], wanted: MarksWanted): Judgement {
  const { nowMs, ageMsMax, upForMs } = wanted;
  const tallies = found.map(({ stream, service, asOfMs }) => {
    const agesMs = [...asOfMs.values()].map((ms) => nowMs - ms);
    const stale = agesMs.filter((ageMs) => ageMs > ageMsMax).length;
    return { stream, service, stale, missing: PARTITIONS - asOfMs.size, oldestMs: Math.max(0, ...agesMs) };
  });
  const data = Object.fromEntries([
    ['ageMsMax', ageMsMax],
    ...tallies.flatMap(({ stream, stale, missing, oldestMs }) => [
      [`${stream}.stale`, stale],
      [`${stream}.missing`, missing],
      [`${stream}.oldestMs`, Math.round(oldestMs)],
    ]),
  ]);
  const behind = tallies.filter(({ stale, missing }) => stale + missing > 0);
  const oldest = duration(Math.max(...tallies.map(({ oldestMs }) => oldestMs)));
  const allowed = `${duration(ageMsMax)} are allowed`;
  const first = behind[0];
  if (!first) {
    return ok(`all ${PARTITIONS} partitions are marked, the oldest mark is ${oldest} old, ${allowed}`, data);
  }
  const detail = behind
    .map(({ stream, stale, missing, oldestMs }) => {
      const age = stale > 0 ? ` (up to ${duration(oldestMs)} old)` : '';
      return `${stream}: ${stale} of ${PARTITIONS} marks stale${age}, ${missing} missing`;
    })
    .join('; ');
  if (upForMs !== null && upForMs < ageMsMax) {
    return warn(
      `${detail}; the platform came up ${duration(upForMs)} ago and marks come within ${duration(ageMsMax)}`,
      `look again in ${duration(ageMsMax - upForMs)}`,
      data,
    );
  }
  return fail(
    `${detail}; ${allowed}: requests of these partitions wait, then are held`,
    `look at ${behind.map(({ service }) => service).join(', then ')}: is ${first.service} running, and what does it log? (\`orchestrate status\`)`,
    data,
  );
}

export async function checkMarks(
  broker: Broker,
  { local, isStoreHere, policy }: Surroundings,
): Promise<Judgement> {
  const found: MarksFound[] = [];
  for (const { contract, filter, service } of MARKED) {
    const asOfMs = new Map<number, number>();
    const range = { stream: contract.stream, filters: [filter] };
    for await (const { message } of readNewest(broker, range, contract, ({ p }) => contract.subject(p))) {
      asOfMs.set(message.p, message.asOfMs);
    }
    found.push({ stream: contract.stream, service, asOfMs });
  }
  const cadenceSec = policy?.dispatch.cadenceSec ?? CADENCE_SEC;
  const cadences = policy?.dispatch.truthCadences ?? CADENCES_MAX;
  // by the broker's clock: what this machine's clock is worth, another check says
  const { ts } = await broker.jsm.streams.info('LEDGER');
  const nowMs = ts === undefined ? Date.now() : Date.parse(ts);
  const startedAt = local.kind === 'up' && isStoreHere ? Date.parse(local.run.startedAt) : null;
  return judgeMarks(found, {
    nowMs,
    ageMsMax: cadenceSec * cadences * 1_000,
    upForMs: startedAt === null ? null : nowMs - startedAt,
  });
}
