import {
  CANONICAL_BLOCKER_LAYERS,
  CHECK_VERDICTS,
  type LayerCondition,
  MANAGED_EXECUTION_STATES,
  OWNERS,
  READINESS_BUCKETS,
  REASONS,
  RISK_LEVELS,
  RISK_NAMES,
  RISK_PHASES,
} from '@orchestrate/canon';
import { z } from 'zod';
import { factName, factWord } from './audit-words.ts';
import { type DraftOf, defineMessage, type ObjectBuilder, STREAM_NAMES } from './define-message.ts';
import { cause, envelope, id, messageId, partition, sequence, timeMs, version } from './scalars.ts';

/** The largest amount that the catalogue knows; times are far below it. */
const factValue = z.union([factWord, z.number().min(0).max(1e15), z.boolean()]);

const counted = z.number().min(0).max(8.64e15);

/** What is in probation: a fact that failed, or the cause of a cooldown. */
const requalified = z.union([factName, cause]);

export const riskSchema = (object: ObjectBuilder) =>
  object({
    risk: z.enum(RISK_NAMES),
    level: z.enum(RISK_LEVELS),
    phase: z.enum(RISK_PHASES),
  });

const factSchema = (object: ObjectBuilder) =>
  object({
    fact: factName,
    value: factValue.optional(),
    isHistory: z.literal(true).optional(),
    band: z
      .string()
      .regex(/^[a-z_]{1,32}$/)
      .brand<'band'>()
      .optional(),
    verdict: z.enum(CHECK_VERDICTS),
    severity: z.enum(['none', 'soft', 'hard']),
    reason: z.enum(REASONS),
    owner: z.enum(OWNERS),
    required: z.boolean(),
    observedAtMs: timeMs.nullable(),
    expiresAtMs: timeMs.nullable(),
    everPassed: z.boolean(),
    passingSinceMs: timeMs.nullable(),
  });

const causesSchema = (object: ObjectBuilder) =>
  object({
    holds: z.record(cause, object({ sinceMs: timeMs })),
    faults: z.record(cause, object({ sinceMs: timeMs })),
    cooldowns: z.record(cause, object({ untilMs: timeMs, ordinal: sequence })),
    requalifications: z.record(
      requalified,
      object({ ordinal: sequence, from: counted.nullable().default(null), count: counted.default(0) }),
    ),
    graces: z.partialRecord(factName, object({ untilMs: timeMs, spent: z.boolean() })),
    closures: z.record(cause, object({ untilMs: timeMs.nullable() })),
    latched: z.partialRecord(
      z.enum(RISK_NAMES),
      object({ phase: z.enum(RISK_PHASES), releaseOwed: z.boolean().default(false) }),
    ),
    setup: object({ id: cause, deadlineMs: timeMs }).nullable(),
    lease: object({ runId: id, untilMs: timeMs }).nullable(),
    check: object({ startedAtMs: timeMs, deadlineMs: timeMs }).nullable(),
    recheckSinceMs: timeMs.nullable(),
    answersSinceMs: timeMs.nullable().default(null),
    requalificationOwed: requalified.nullable(),
    servedStop: object({ atMs: timeMs, counters: z.partialRecord(factName, counted) })
      .nullable()
      .default(null),
    unanswered: z
      .partialRecord(factName, object({ sinceMs: timeMs, lastMs: timeMs, tries: sequence }))
      .default({}),
    attention: z.boolean(),
  });

/** One source of a layer: shared by the layer's condition and the truth that carries it on. */
export const sourceShape = (object: ObjectBuilder) => ({
  source: id,
  enabled: z.boolean(),
  state: z.enum(MANAGED_EXECUTION_STATES),
  bucket: z.enum(READINESS_BUCKETS),
  owner: z.enum(OWNERS),
  reason: z.enum(REASONS),
  facts: z.array(factSchema(object)).max(64),
  causes: causesSchema(object),
  risks: z.array(riskSchema(object)).max(32),
  validUntilMs: timeMs.nullable(),
});

/** What one source of one layer says of itself now; the newest per subject is the whole state of its machine. */
export const layerConditioned = defineMessage({
  name: 'layer.condition',
  stream: 'LAYERS',
  subject: (at: { p: number; tenantId: string; layer: string; source: string }) =>
    `layer.${at.p}.${at.tenantId}.${at.layer}.${at.source}`,
  schema: (object) =>
    object({
      ...envelope,
      layer: z.enum(CANONICAL_BLOCKER_LAYERS),
      ...sourceShape(object),
      /** Stream positions folded into this state: an input at or below its own is a replay. */
      inputs: object({ EVIDENCE: sequence, CONFIG: sequence, OPERATOR: sequence }),
      at: timeMs,
    }),
});
export type LayerConditioned = DraftOf<typeof layerConditioned>;

/** The condition as the canon knows it. */
export function conditionFromWire(message: LayerConditioned): LayerCondition {
  const { v: _v, id: _id, causedBy: _causedBy, inputs: _inputs, at: _at, ...condition } = message;
  return condition as unknown as LayerCondition;
}

/**
 * What stands beside a condition in its headers, for whoever keeps an index of very many and looks the condition up
 * when it is needed.
 */
export interface ConditionHead {
  /** When time alone changes something of the source; null when it never does. */
  readonly dueMs: number | null;
  /** It knows something that counts only while a source's heartbeat is heard. */
  readonly living: boolean;
  /** It knew something that ended with that heartbeat. */
  readonly silent: boolean;
}

const DUE = 'Orchestrate-Due';
const HEARTBEAT = 'Orchestrate-Heartbeat';

export function conditionHeaders({ dueMs, living, silent }: ConditionHead): Record<string, string> {
  const heartbeat = [...(living ? ['living'] : []), ...(silent ? ['silent'] : [])].join(' ');
  return {
    [DUE]: dueMs === null ? 'never' : String(dueMs),
    ...(heartbeat ? { [HEARTBEAT]: heartbeat } : {}),
  };
}

/** Of a condition that says nothing of itself everything may be so: it is looked up at once. */
export function conditionHeadFrom(header: (name: string) => string): ConditionHead {
  const due = header(DUE);
  if (!/^(never|\d{1,16})$/.test(due)) return { dueMs: 0, living: true, silent: true };
  const heartbeat = header(HEARTBEAT).split(' ');
  return {
    dueMs: due === 'never' ? null : Number(due),
    living: heartbeat.includes('living'),
    silent: heartbeat.includes('silent'),
  };
}

/** Below these positions everything of the partition is durably reflected; `asOfMs` is how far time has come. */
const markShape = {
  v: version,
  id: messageId,
  p: partition,
  asOfMs: timeMs,
  inputs: z.partialRecord(z.enum(STREAM_NAMES), sequence),
  tenants: sequence,
  changed: sequence,
  instance: id,
};

export const layerMarked = defineMessage({
  name: 'layer.mark',
  stream: 'LAYERS',
  subject: (p: number) => `layer.${p}`,
  schema: (object) => object(markShape),
});
export const truthMarked = defineMessage({
  name: 'truth.mark',
  stream: 'TRUTH',
  subject: (p: number) => `truth.${p}`,
  schema: (object) => object(markShape),
});
export const ledgerMarked = defineMessage({
  name: 'ledger.mark',
  stream: 'LEDGER',
  subject: (p: number) => `ledger.${p}`,
  schema: (object) => object(markShape),
});
export type Mark = DraftOf<typeof layerMarked>;
