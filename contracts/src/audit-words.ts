import {
  CANONICAL_BLOCKER_LAYERS,
  type CanonicalBlockerLayer,
  DISPATCH_BLOCKERS,
  type DispatchBlocker,
  FACTS,
  type FactName,
  GATES,
  RATIONALE_CODES,
  RATIONALE_QUESTIONS,
  type RationaleCode,
  type RationaleQuestion,
} from '@orchestrate/canon';
import { z } from 'zod';

/** The closed lists of the audit, each taken from where the canon decides with it. */
const factsOf = (layer: CanonicalBlockerLayer): FactName[] => Object.keys(FACTS[layer]) as FactName[];

export const FACT_NAMES = [...new Set(CANONICAL_BLOCKER_LAYERS.flatMap(factsOf))];
export const factName = z.enum(FACT_NAMES);

/** Every word that a fact of the catalogue can have for its value. */
export const FACT_WORDS = [
  ...new Set(
    Object.values(FACTS).flatMap((facts) =>
      Object.values(facts).flatMap((spec) => (spec.kind === 'enum' ? [...spec.values] : [])),
    ),
  ),
];
export const factWord = z.enum(FACT_WORDS).brand<'factWord'>();

/** What a source itself is named by where none of its facts can be: it is missing, or switched off. */
const SOURCE = 'source';

/**
 * What a gate can rest on that is no fact of a layer: the request, the ledger, a person's hold, the mode; the blocker
 * whose gate failed; the question whose answer does not support a dispatch.
 */
export const REQUEST_FACTS = [
  SOURCE,
  'suppression',
  'conversation',
  'touch',
  'constraints',
  'hold',
  'resolvedMode',
  ...DISPATCH_BLOCKERS,
  ...RATIONALE_QUESTIONS,
] as const;
export const restsOn = z.enum([...FACT_NAMES, ...REQUEST_FACTS]);

/** What ends a dispatch over the heads of the gates. */
export const RULINGS = ['hold_expired', 'rejected_by_operator', 'tenant_offboarded'] as const;
export type Ruling = (typeof RULINGS)[number];

const OUTCOMES = new Map(
  GATES.map(({ blocker, outcomes }) => [blocker, new Set(outcomes.map(({ name }) => name))]),
);
export const GATE_OUTCOMES = [...new Set(GATES.flatMap(({ outcomes }) => outcomes.map(({ name }) => name)))];
export const gateOutcome = z.enum(GATE_OUTCOMES).brand<'gateOutcome'>();
export const decidingOutcome = z.enum([...GATE_OUTCOMES, ...RULINGS]).brand<'gateOutcome'>();

export function isOutcomeOf(blocker: DispatchBlocker, outcome: string): boolean {
  return OUTCOMES.get(blocker)?.has(outcome) ?? false;
}

const codesOf = (question: RationaleQuestion): RationaleCode[] => [
  ...RATIONALE_CODES[question].supports,
  ...RATIONALE_CODES[question].opposes,
];
export const rationaleCode = z.enum([...new Set(RATIONALE_QUESTIONS.flatMap(codesOf))]);

export function isAnswerTo(question: RationaleQuestion, code: RationaleCode): boolean {
  return codesOf(question).includes(code);
}

const oneOf = (words: readonly string[]): string =>
  `(${words.map((word) => word.replaceAll('.', '\\.')).join('|')})`;
const CITABLE = CANONICAL_BLOCKER_LAYERS.map(
  (layer) => `${layer}/[a-z0-9][a-z0-9_-]{0,63}/${oneOf([...factsOf(layer), SOURCE])}`,
);
/** A fact that an answer rests on, as `layer/source/fact`. */
export const citation = z
  .string()
  .regex(new RegExp(`^(${CITABLE.join('|')})$`), 'a fact of the catalogue as layer/source/fact')
  .brand<'citation'>();
