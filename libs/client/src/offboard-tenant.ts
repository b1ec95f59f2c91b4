import { randomUUID } from 'node:crypto';
import { dispatches, partitionOf } from '@orchestrate/canon';
import {
  type InterventionRecorded,
  id,
  interventionRecorded,
  layerMarked,
  ledgerMarked,
  type OperatorCommanded,
  operatorCommanded,
  type StreamName,
  type TenantOffboarded,
  tenantOffboarded,
  truthMarked,
  VERSION,
} from '@orchestrate/contracts';
import {
  type Broker,
  countStored,
  decodeLenient,
  encode,
  PublishConflict,
  readLast,
  readStored,
  referenceTo,
  storeUntilCertain,
} from '@orchestrate/messaging';
import { z } from 'zod';
import { isDecision } from './check-books.ts';
import { type Erased, eraseTenant } from './erase-tenant.ts';
import { notAmong } from './not-there.ts';
import { readOffboarding, type StoredOffboarding } from './offboarding.ts';
import { sendCommand } from './operator-commands.ts';
import { readTenantConfig, readTenants } from './read-side.ts';
import { waitUntilDone } from './wait-until.ts';

export interface OffboardTenant {
  readonly tenantId: string;
  readonly actor: string;
  readonly reasonCode: OperatorCommanded['reasonCode'];
  readonly onProgress?: (progress: OffboardProgress) => void;
  /** How long to wait for a service that does nothing; default 30 s. */
  readonly waitMs?: number;
}

/** What is being done, and how much of it is left. */
export interface OffboardProgress {
  readonly step: 'record' | 'holds' | 'services' | 'erasure';
  readonly left: number;
}

export const KEPT_IN = ['DECISIONS', 'OPERATOR', 'OUTCOMES', 'TRUTH', 'LEDGER'] as const;

export interface OffboardReport {
  readonly tenantId: string;
  /** It had left before this call, which then only did what was left to do. */
  readonly already: boolean;
  readonly offboardedAtMs: number;
  /** Place in the tenant's chain of the record after which nothing was released. */
  readonly interventionOrdinal: number;
  readonly erased: Erased;
  /** Messages about the tenant that stay: its records, what they cite, and where its chain ends. */
  readonly kept: Readonly<Record<(typeof KEPT_IN)[number], number>>;
}

const WAIT_MS = 30_000;

/** Services that remember a tenant, each with the stream of its marks. */
const REMEMBERING = [
  { service: 'layer-runtime', stream: 'LAYERS', mark: layerMarked },
  { service: 'truth-aggregator', stream: 'TRUTH', mark: truthMarked },
  { service: 'dispatch-governance', stream: 'LEDGER', mark: ledgerMarked },
] as const;

/**
 * Ends a tenant: nothing goes out any more, its holds end, the services forget it, its recipients and all that is no
 * record is erased. Each step is only begun when the one before stands for good, and what was done is found done: after
 * any interruption the same call finishes. Throws, with what to do, when there is no such tenant or a service is away.
 */
export async function offboardTenant(broker: Broker, options: OffboardTenant): Promise<OffboardReport> {
  const { tenantId } = options;
  if (!id.safeParse(tenantId).success)
    throw new Error(`\`${tenantId}\` is no tenant: tenants leave one by one`);
  const before = await readOffboarding(broker, tenantId);
  const { offboarding, seq } = before ?? (await endDispatching(broker, options));
  await awaitForgotten(broker, options, seq);
  options.onProgress?.({ step: 'erasure', left: 1 });
  const erased = await eraseTenant(broker, tenantId);
  options.onProgress?.({ step: 'erasure', left: 0 });
  return {
    tenantId,
    already: before !== null,
    offboardedAtMs: offboarding.offboardedAtMs,
    interventionOrdinal: offboarding.interventionOrdinal,
    erased,
    kept: await countKept(broker, tenantId),
  };
}

/** The record, the end of every hold, and then the tombstone: in this order, or the tombstone would say too much. */
async function endDispatching(broker: Broker, options: OffboardTenant): Promise<StoredOffboarding> {
  const { tenantId } = options;
  if (!(await readTenantConfig(broker, tenantId))) {
    throw notAmong(`there is no tenant \`${tenantId}\``, tenantId, await readTenants(broker));
  }
  const { record, seq } = await awaitRecord(broker, options);
  await awaitHoldsEnded(broker, options);
  return bury(broker, {
    v: VERSION,
    id: randomUUID(),
    tenantId,
    causedBy: referenceTo({ stream: 'DECISIONS', seq }),
    actor: record.actor,
    reasonCode: record.reasonCode,
    interventionOrdinal: record.ordinal,
    offboardedAtMs: record.recordedAtMs,
  });
}

interface StoredIntervention {
  readonly record: InterventionRecorded;
  readonly seq: number;
}

async function awaitRecord(broker: Broker, options: OffboardTenant): Promise<StoredIntervention> {
  const { tenantId, actor, reasonCode, waitMs = WAIT_MS } = options;
  // Before the record is looked for: what is no longer asked by now is on record then.
  const wasAsked = await isAsked(broker, tenantId);
  let found = await findRecord(broker, tenantId);
  if (found) return found;
  if (!wasAsked) {
    await sendCommand(broker, { tenantId, command: 'offboard', actor, reasonCode });
  }
  const left = async () => {
    found = await findRecord(broker, tenantId);
    options.onProgress?.({ step: 'record', left: found ? 0 : 1 });
    return found ? 0 : 1;
  };
  const problem = () =>
    awayProblem('dispatch-governance', `has not recorded that \`${tenantId}\` leaves`, waitMs);
  await waitUntilDone(left, { waitMs, problem });
  return found!;
}

async function findRecord(broker: Broker, tenantId: string): Promise<StoredIntervention | null> {
  const filters = [`decision.${partitionOf(tenantId)}.${tenantId}.INTERVENTION`];
  for await (const { data, seq } of readStored(broker, { stream: 'DECISIONS', filters, fromSeq: 1 })) {
    const record = decodeLenient(interventionRecorded, data);
    if (record.command === 'offboard') return { record, seq };
  }
  return null;
}

/** Whether the command of an earlier call still waits for governance: asking twice would be on record twice. */
async function isAsked(broker: Broker, tenantId: string): Promise<boolean> {
  const p = partitionOf(tenantId);
  const subject = operatorCommanded.subject({ p, tenantId, command: 'offboard' });
  const asked = await readLast(broker, 'OPERATOR', subject);
  return (
    asked !== null && asked.seq > (await positionIn(broker, 'LEDGER', ledgerMarked.subject(p), 'OPERATOR'))
  );
}

async function awaitHoldsEnded(broker: Broker, options: OffboardTenant): Promise<void> {
  const { tenantId, waitMs = WAIT_MS } = options;
  const holds = new OpenHolds(broker, tenantId);
  const left = async () => {
    const open = await holds.count();
    options.onProgress?.({ step: 'holds', left: open });
    return open;
  };
  const problem = (open: number) =>
    awayProblem('dispatch-governance', `has ended none of the last ${open} holds of \`${tenantId}\``, waitMs);
  await waitUntilDone(left, { waitMs, problem });
}

const dispatchNamed = z.object({ dispatchId: id });

/** The dispatches of a tenant whose last decision is a hold; reads on where it stopped. */
class OpenHolds {
  readonly #broker: Broker;
  readonly #filters: readonly string[];
  readonly #open = new Set<string>();
  #fromSeq = 1;

  constructor(broker: Broker, tenantId: string) {
    this.#broker = broker;
    this.#filters = [`decision.${partitionOf(tenantId)}.${tenantId}.*`];
  }

  async count(): Promise<number> {
    const range = { stream: 'DECISIONS', filters: this.#filters, fromSeq: this.#fromSeq } as const;
    for await (const { subject, data, seq } of readStored(this.#broker, range)) {
      this.#fromSeq = seq + 1;
      const kind = subject.split('.').at(-1)!;
      if (!isDecision(kind)) continue;
      const { dispatchId } = dispatchNamed.parse(JSON.parse(Buffer.from(data).toString()));
      if (kind === 'BLOCK' || dispatches(kind)) this.#open.delete(dispatchId);
      else this.#open.add(dispatchId);
    }
    return this.#open.size;
  }
}

/** Writes the tombstone once: of two calls at a time the first one's stands. */
async function bury(broker: Broker, offboarding: TenantOffboarded): Promise<StoredOffboarding> {
  const { tenantId } = offboarding;
  const subject = tenantOffboarded.subject(tenantId);
  const message = { subject, data: encode(tenantOffboarded, offboarding), lastSeq: 0 };
  try {
    await storeUntilCertain(broker, 'CONFIG', message, () => broker.nc.isClosed());
  } catch (error) {
    if (!(error instanceof PublishConflict)) throw error;
  }
  const stands = await readOffboarding(broker, tenantId);
  if (!stands) throw new Error(`the tombstone of \`${tenantId}\` is not where it was put: run this again`);
  return stands;
}

/** What is purged before a service has forgotten it would be written again by it. */
async function awaitForgotten(broker: Broker, options: OffboardTenant, tombstoneSeq: number): Promise<void> {
  const { tenantId, waitMs = WAIT_MS } = options;
  const p = partitionOf(tenantId);
  for (const [index, { service, stream, mark }] of REMEMBERING.entries()) {
    const left = async () => {
      const position = await positionIn(broker, stream, mark.subject(p), 'CONFIG');
      const isForgotten = position >= tombstoneSeq;
      options.onProgress?.({ step: 'services', left: REMEMBERING.length - index - (isForgotten ? 1 : 0) });
      return isForgotten ? 0 : 1;
    };
    const problem = () => awayProblem(service, `has not taken note that \`${tenantId}\` left`, waitMs);
    await waitUntilDone(left, { waitMs, problem });
  }
}

/** Up to which message of an input the newest mark of a partition vouches; 0 when there is none. */
async function positionIn(
  broker: Broker,
  stream: StreamName,
  markSubject: string,
  input: StreamName,
): Promise<number> {
  const stored = await readLast(broker, stream, markSubject);
  return stored ? (decodeLenient(layerMarked, stored.data).inputs[input] ?? 0) : 0;
}

function awayProblem(service: string, problem: string, waitMs: number): string {
  return `${service} ${problem} within ${waitMs / 1000} s: is ${service} up? start it and run this again, it goes on where it stopped`;
}

async function countKept(broker: Broker, tenantId: string): Promise<OffboardReport['kept']> {
  const at = `${partitionOf(tenantId)}.${tenantId}`;
  const count = (stream: StreamName, filter: string) => countStored(broker, stream, filter);
  return {
    DECISIONS: await count('DECISIONS', `decision.${at}.*`),
    OPERATOR: await count('OPERATOR', `operator.${at}.*`),
    OUTCOMES: await count('OUTCOMES', `outcome.${at}.*`),
    TRUTH: await count('TRUTH', `truth.${at}`),
    LEDGER: await count('LEDGER', `ledger.${at}.state`),
  };
}
