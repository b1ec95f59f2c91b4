import {
  CANONICAL_BLOCKER_LAYERS,
  type CanonicalBlockerLayer,
  FACTS,
  factSpec,
  factValueProblem,
  UNKNOWN_REASONS,
} from '@orchestrate/canon';
import { type EvidenceObserved, evidenceObserved, id } from '@orchestrate/contracts';
import type { Broker } from '@orchestrate/messaging';
import { z } from 'zod';
import { InputFileError, type InputProblem } from './input-problem.ts';
import { hint } from './nearest-word.ts';
import { observationMessage } from './observation.ts';
import { refuseOffboarded } from './offboarding.ts';
import { eachInFlight, publishMessage } from './publish-message.ts';
import { readYamlFile, type YamlInput } from './yaml-input.ts';

const factValue = z.union([z.string(), z.number(), z.boolean()], {
  error: 'a word, a number, true or false',
});
const noAnswer = z.strictObject({ unknown: z.enum(UNKNOWN_REASONS) });

const evidenceFileSchema = z.strictObject({
  tenant: id,
  observedAt: z.string().optional(),
  evidence: z
    .array(
      z.strictObject({
        layer: z.enum(CANONICAL_BLOCKER_LAYERS),
        source: id,
        facts: z.record(
          z.string(),
          z.union([factValue, noAnswer], {
            error: `a value, or { unknown: one of ${UNKNOWN_REASONS.join(', ')} }`,
          }),
        ),
      }),
    )
    .min(1),
});
type EvidenceFile = z.output<typeof evidenceFileSchema>;
type EvidenceEntry = EvidenceFile['evidence'][number];

export interface EvidenceFileReport {
  readonly tenantId: string;
  readonly observedAtMs: number;
  /** In the order of the file: where each entry stands in EVIDENCE. */
  readonly published: readonly {
    readonly layer: CanonicalBlockerLayer;
    readonly source: string;
    readonly sequence: number;
  }[];
}

const OBSERVER = 'file';
const FACTS_MAX = 40;
const PUBLISHED_IN_FLIGHT_MAX = 256;

/** Publishes what a person observed. Throws InputFileError, with nothing published, when anything is wrong. */
export async function applyEvidenceFile(broker: Broker, path: string): Promise<EvidenceFileReport> {
  const { tenantId, observedAtMs, messages } = await loadEvidenceFile(path, Date.now());
  await refuseOffboarded(broker, tenantId);
  const sequences = new Map<EvidenceObserved, number>();
  await eachInFlight(messages, PUBLISHED_IN_FLIGHT_MAX, async (message) => {
    const { seq } = await publishMessage(
      broker,
      evidenceObserved,
      evidenceObserved.subject(message),
      message,
    );
    sequences.set(message, seq);
  });
  const published = messages.map((message) => ({
    layer: message.layer,
    source: message.source,
    sequence: sequences.get(message)!,
  }));
  return { tenantId, observedAtMs, published };
}

export interface LoadedEvidence {
  readonly tenantId: string;
  readonly observedAtMs: number;
  readonly messages: readonly EvidenceObserved[];
}

export async function loadEvidenceFile(path: string, nowMs: number): Promise<LoadedEvidence> {
  const input = await readYamlFile(path, evidenceFileSchema);
  const observedAtMs = readTime(input.value.observedAt, nowMs);
  const problems = [
    ...(typeof observedAtMs === 'string' ? [input.problem(['observedAt'], observedAtMs)] : []),
    ...factProblems(input),
  ];
  if (problems.length > 0 || typeof observedAtMs === 'string') throw new InputFileError(problems);
  const { tenant, evidence } = input.value;
  return {
    tenantId: tenant,
    observedAtMs,
    messages: evidence.map((entry) =>
      observationMessage({ tenantId: tenant, observer: OBSERVER, ...entry, observedAtMs }, nowMs),
    ),
  };
}

const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const ISO_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})$/;

/** Ms since the epoch, or what is wrong. */
function readTime(written: string | undefined, nowMs: number): number | string {
  if (written === undefined) return nowMs;
  const relative = /^-(\d{1,6})([smhd])$/.exec(written);
  if (relative) return nowMs - Number(relative[1]) * UNIT_MS[relative[2] as keyof typeof UNIT_MS];
  const atMs = ISO_TIME.test(written) ? Date.parse(written) : Number.NaN;
  if (Number.isNaN(atMs)) {
    return `\`${written}\` is no time: write it like 2026-01-31T09:00:00Z, or as an age like -2h, -30m or -3d`;
  }
  return atMs > nowMs ? `\`${written}\` lies in the future: nobody has observed it yet` : atMs;
}

function factProblems({ value, problem }: YamlInput<EvidenceFile>): InputProblem[] {
  return value.evidence.flatMap(({ layer, facts }, index) => {
    const names = Object.keys(facts);
    const at = ['evidence', index, 'facts'];
    if (names.length === 0) return [problem(at, 'is empty: list at least one fact')];
    if (names.length > FACTS_MAX)
      return [problem(at, `has ${names.length} facts: at most ${FACTS_MAX} an entry`)];
    return names.flatMap((fact) => {
      const found = factProblem(layer, fact, facts[fact]!);
      return found === null ? [] : [problem([...at, fact], found)];
    });
  });
}

function factProblem(
  layer: CanonicalBlockerLayer,
  fact: string,
  value: EvidenceEntry['facts'][string],
): string | null {
  const spec = factSpec(layer, fact);
  const known = Object.keys(FACTS[layer]);
  if (!spec) return `\`${fact}\` is no fact of ${layer}${hint(fact, known)} (known: ${known.join(', ')})`;
  if (typeof value === 'object') return null;
  const found = factValueProblem(layer, fact, value);
  return found === null || spec.kind !== 'enum' ? found : `${found}${hint(String(value), spec.values)}`;
}
