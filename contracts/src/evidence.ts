import { CANONICAL_BLOCKER_LAYERS, FACTS, factValueProblem, UNKNOWN_REASONS } from '@orchestrate/canon';
import { z } from 'zod';
import { defineMessage, type MessageOf } from './define-message.ts';
import { envelope, id, partition, sha256, timeMs, version } from './scalars.ts';

const layer = z.enum(CANONICAL_BLOCKER_LAYERS);

/** What a probe, an import or a person with a file observed of one source; judged by nobody yet. */
export const evidenceObserved = defineMessage({
  name: 'evidence.observed',
  stream: 'EVIDENCE',
  subject: (at: { tenantId: string; layer: string; source: string }) =>
    `evidence.${at.tenantId}.${at.layer}.${at.source}`,
  schema: (object) =>
    object({
      ...envelope,
      layer,
      source: id,
      /** Who looked: a probe's name, an import, a person with a file. */
      observer: id,
      facts: z
        .array(
          z.union([
            object({
              fact: z.string().regex(/^[A-Za-z0-9.]{1,40}$/),
              value: z.union([z.string().max(64), z.number(), z.boolean()]),
              observedAtMs: timeMs,
              evidenceDigest: sha256.optional(),
            }),
            object({
              fact: z.string().regex(/^[A-Za-z0-9.]{1,40}$/),
              unknown: z.enum(UNKNOWN_REASONS),
              observedAtMs: timeMs,
            }),
          ]),
        )
        .min(1)
        .max(40),
    }).superRefine((message, context) => {
      message.facts.forEach((fact, index) => {
        const problem =
          'value' in fact
            ? factValueProblem(message.layer, fact.fact, fact.value)
            : Object.hasOwn(FACTS[message.layer], fact.fact)
              ? null
              : factValueProblem(message.layer, fact.fact, undefined);
        if (problem)
          context.addIssue({ code: 'custom', path: ['facts', index, fact.fact], message: problem });
      });
    }),
});
export type EvidenceObserved = MessageOf<typeof evidenceObserved>;

export const HEARTBEAT_SOURCES = ['continuity_window'] as const;

/** Says of a partition that a source of folded facts still looks, so that nobody has to publish "unchanged". */
export const evidenceHeartbeat = defineMessage({
  name: 'evidence.heartbeat',
  stream: 'EVIDENCE',
  subject: (p: number) => `evidence.${p}`,
  schema: (object) =>
    object({ v: version, id: z.uuid(), p: partition, layer: z.enum(HEARTBEAT_SOURCES), atMs: timeMs }),
});
export type EvidenceHeartbeat = MessageOf<typeof evidenceHeartbeat>;
