import {
  CANONICAL_BLOCKER_LAYERS,
  type CanonicalBlockerLayer,
  type CanonicalRuntimeTruth,
  GOVERNANCE_MODES,
  MANAGED_EXECUTION_STATES,
  OWNERS,
  READINESS_BUCKETS,
  REASONS,
} from '@orchestrate/canon';
import { z } from 'zod';
import { factName } from './audit-words.ts';
import { type DraftOf, defineMessage, type ObjectBuilder } from './define-message.ts';
import { riskSchema, sourceShape } from './layer.ts';
import { envelope, id, sequence, sha256, timeMs } from './scalars.ts';

function perLayer<T extends z.ZodType>(object: ObjectBuilder, schema: T) {
  return object(
    Object.fromEntries(CANONICAL_BLOCKER_LAYERS.map((layer) => [layer, schema])) as Record<
      CanonicalBlockerLayer,
      T
    >,
  );
}

export const modeSchema = (object: ObjectBuilder) =>
  object({
    requested: z.enum(GOVERNANCE_MODES),
    sectorFloor: z.enum(GOVERNANCE_MODES),
    operatorFloor: z.enum(GOVERNANCE_MODES),
    riskFloor: z.enum(GOVERNANCE_MODES),
    resolved: z.enum(GOVERNANCE_MODES),
    risks: z.array(riskSchema(object)).max(64),
  });

/** The one operational truth of a tenant. */
export const truthRecorded = defineMessage({
  name: 'truth.recorded',
  stream: 'TRUTH',
  subject: (at: { p: number; tenantId: string }) => `truth.${at.p}.${at.tenantId}`,
  schema: (object) =>
    object({
      ...envelope,
      schema: z.literal(1),
      layers: perLayer(
        object,
        object({
          state: z.enum(MANAGED_EXECUTION_STATES),
          bucket: z.enum(READINESS_BUCKETS),
          owner: z.enum(OWNERS),
          reason: z.enum(REASONS),
          sources: z.array(object(sourceShape(object))),
          validUntilMs: timeMs.nullable(),
        }),
      ),
      unknowns: z.array(
        object({
          layer: z.enum(CANONICAL_BLOCKER_LAYERS),
          source: id,
          fact: factName,
          reason: z.enum(REASONS),
        }),
      ),
      mode: modeSchema(object),
      policyDigest: sha256,
      fingerprint: sha256,
      layerFingerprints: perLayer(object, sha256),
      epoch: z.number().int().min(1),
      builtAtMs: timeMs,
      /** The position in LAYERS that this truth reflects. */
      inputSeq: sequence,
    }),
});
export type TruthRecorded = DraftOf<typeof truthRecorded>;

export function truthFromWire(message: TruthRecorded): CanonicalRuntimeTruth {
  const { v: _v, id: _id, causedBy: _causedBy, inputSeq: _inputSeq, ...truth } = message;
  return truth as unknown as CanonicalRuntimeTruth;
}

const POLICY = 'Orchestrate-Policy';

/** What stands beside a truth in its headers: who keeps only an index sees whether it was built with this policy. */
export const truthHeaders = ({ policyDigest }: { policyDigest: string }): Record<string, string> => ({
  [POLICY]: policyDigest,
});

/** The policy that a truth was built with; empty when it does not say. */
export const truthPolicyFrom = (header: (name: string) => string): string => header(POLICY);
