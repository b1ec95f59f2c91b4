export { bandOf } from './bands.ts';
export * from './condition.ts';
export { mergeConstraints, permitsNothing } from './constraints.ts';
export { type Decision, decide, type GateFinding, type UnblockItem } from './decide.ts';
export * from './facts.ts';
export { canonicalJson, digestOf, digestOfBytes } from './fingerprint.ts';
export {
  type Approval,
  type Because,
  type DispatchAction,
  type DispatchCase,
  type Gate,
  type GateAnswer,
  REQUEST_REASONS,
  type RecipientStanding,
  type RequestReason,
  type Reservation,
} from './gates/gate.ts';
export { GATES } from './gates/index.ts';
export { ID_PATTERN, PARTITIONS, partitionOf } from './ids.ts';
export { allOf, anyOf } from './kleene.ts';
export {
  escalate,
  type ModeAtOrAbove,
  type ResolvedMode,
  resolveMode,
  riskFloor,
  strictness,
} from './mode.ts';
export { type Constraints, constraintsSchema, type Policy, policyDigestOf, policySchema } from './policy.ts';
export { answerRationale, type RationaleAnswer, supported } from './rationale.ts';
export { REASON_SENTENCES, type ReasonSentence } from './reason-sentences.ts';
export { LAYER_RULES, ruleOf } from './rules/index.ts';
export type { CauseWanted, Judgement, KnownFacts, LayerRule, RuleContext } from './rules/layer-rule.ts';
export {
  buildTruth,
  type CanonicalRuntimeTruth,
  fingerprintOf,
  type HonestUnknown,
  layerFingerprint,
  sourceDigest,
  type TruthLayer,
  type TruthSource,
} from './truth.ts';
export { type ReadFact, TruthReading } from './truth-reading.ts';
export * from './words.ts';
