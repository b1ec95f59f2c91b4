import {
  CANONICAL_BLOCKER_LAYERS,
  type CanonicalBlockerLayer,
  FACTS,
  factValueProblem,
  UNKNOWN_REASONS,
} from '@orchestrate/canon';
import { z } from 'zod';
import { FACT_NAMES } from './audit-words.ts';
import { type DraftOf, defineMessage } from './define-message.ts';
import { envelope, id, messageId, partition, sha256, timeMs, version } from './scalars.ts';

const layer = z.enum(CANONICAL_BLOCKER_LAYERS);
/** The forms of a fact's name and word. Which there are depends on the layer, and is told by the catalogue. */
const fact = z
  .string()
  .regex(/^[A-Za-z0-9.]{1,40}$/)
  .brand<'fact'>();
const word = z
  .string()
  .regex(/^[a-z0-9_]{1,64}$/, 'a word of the catalogue')
  .brand<'factWord'>();
/** Wider than any amount, so that the catalogue says what is wrong with one. */
const amount = z.number().min(-1e15).max(1e15);

/** What the catalogue says against an observation, without what was sent: that could be anything. */
function problemWith(
  layer: CanonicalBlockerLayer,
  seen: { fact: string } & ({ value: unknown } | { unknown: unknown }),
): { name: string; told: string } | null {
  const isAnswered = 'value' in seen || !Object.hasOwn(FACTS[layer], seen.fact);
  const problem = isAnswered
    ? factValueProblem(layer, seen.fact, 'value' in seen ? seen.value : undefined)
    : null;
  if (problem === null) return null;
  const isFact = FACT_NAMES.some((name) => name === seen.fact);
  const told = problem.replace(/, not `.*$/, '');
  return isFact ? { name: seen.fact, told } : { name: 'fact', told: told.replace(/^`.*` is /, '') };
}

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
              fact,
              value: z.union([word, amount, z.boolean()]),
              observedAtMs: timeMs,
              evidenceDigest: sha256.optional(),
            }),
            object({
              fact,
              unknown: z.enum(UNKNOWN_REASONS),
              observedAtMs: timeMs,
            }),
          ]),
        )
        .min(1)
        .max(40),
    }).superRefine((message, context) => {
      message.facts.forEach((fact, index) => {
        const problem = problemWith(message.layer, fact);
        if (problem === null) return;
        const { name, told } = problem;
        context.addIssue({ code: 'custom', path: ['facts', index, name], message: told });
      });
    }),
});
export type EvidenceObserved = DraftOf<typeof evidenceObserved>;

export const HEARTBEAT_SOURCES = ['continuity_window'] as const;

/** Says of a partition that a source of folded facts still looks, so that nobody has to publish "unchanged". */
export const evidenceHeartbeat = defineMessage({
  name: 'evidence.heartbeat',
  stream: 'EVIDENCE',
  subject: (p: number) => `evidence.${p}`,
  schema: (object) =>
    object({ v: version, id: messageId, p: partition, layer: z.enum(HEARTBEAT_SOURCES), atMs: timeMs }),
});
export type EvidenceHeartbeat = DraftOf<typeof evidenceHeartbeat>;
