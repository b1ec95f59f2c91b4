import type {
  EvidenceObserved,
  LayerConditioned,
  Mark,
  OperatorCommanded,
  TenantConfig,
} from '@orchestrate/contracts';
import { parsed, type StoreContents } from '../store-contents.ts';
import { rejectedInputs } from './effects.ts';
import { isMark, newestMarks } from './marks.ts';
import { type Violation, violation } from './violation.ts';

export interface Conditioned {
  readonly subject: string;
  readonly seq: number;
  readonly condition: LayerConditioned;
}

/** Conditions of all sources, oldest first. */
export function conditionsIn(contents: StoreContents): readonly Conditioned[] {
  return contents.LAYERS.flatMap((kept) => {
    const condition = isMark(kept) ? null : parsed<LayerConditioned>(kept);
    return condition ? [{ subject: kept.subject, seq: kept.seq, condition }] : [];
  });
}

/** A source never forgets an input that it has folded. */
export function checkConditionOrder(conditions: readonly Conditioned[]): Violation[] {
  return [...Map.groupBy(conditions, ({ subject }) => subject)].flatMap(([subject, history]) =>
    history.flatMap(({ seq, condition }, at) => {
      const before = history[at - 1]?.condition.inputs;
      if (!before) return [];
      const streams = Object.keys(before) as (keyof typeof before)[];
      const fallen = streams.find((stream) => condition.inputs[stream] < before[stream]);
      if (!fallen) return [];
      const told = `${fallen} is folded up to ${condition.inputs[fallen]} after ${before[fallen]}`;
      return [violation('went_back', subject, `LAYERS/${seq}: ${told}`)];
    }),
  );
}

/**
 * Each source says what it was told last. Either its newest condition has folded the last evidence, or the evidence
 * changed nothing that is worth a condition; then the mark vouches for it and the values are those that were told.
 */
export function checkEvidence(contents: StoreContents, conditions: readonly Conditioned[]): Violation[] {
  const newest = new Map(conditions.map((one) => [one.subject, one.condition]));
  const marks = newestMarks(contents.LAYERS);
  const rejected = rejectedInputs(contents);
  const bySource = Map.groupBy(
    contents.EVIDENCE.filter((kept) => !isMark(kept)),
    ({ subject }) => subject,
  );
  return [...bySource].flatMap(([subject, history]) => {
    const told = history.flatMap((kept) => {
      const message = rejected.has(`EVIDENCE/${kept.seq}`) ? null : parsed<EvidenceObserved>(kept);
      return message ? [{ seq: kept.seq, message }] : [];
    });
    const last = told.at(-1);
    if (!last) return [];
    const [, p] = subject.split('.');
    const problem = unreflected(last.seq, told, newest.get(`layer.${rest(subject)}`), marks.get(p!));
    return problem ? [violation('not_reflected', `EVIDENCE/${last.seq}`, `${subject}: ${problem}`)] : [];
  });
}

const rest = (subject: string): string => subject.split('.').slice(1).join('.');

function unreflected(
  lastSeq: number,
  told: readonly { readonly seq: number; readonly message: EvidenceObserved }[],
  condition: LayerConditioned | undefined,
  mark: Mark | undefined,
): string | null {
  if (!condition) return 'its source has no condition';
  const folded = condition.inputs.EVIDENCE;
  const vouched = mark?.inputs.EVIDENCE ?? 0;
  if (folded < lastSeq && vouched < lastSeq) return `folded up to ${folded}, marked up to ${vouched}`;
  const youngest = youngestAnswers(told.map(({ message }) => message));
  for (const { fact, value } of condition.facts) {
    const answer = youngest.get(fact);
    // An amount is published when its band changes; a fact that lost its value says why, and that is honest.
    if (value === undefined || !answer || (typeof value === 'number' && folded < lastSeq)) continue;
    if (value !== answer.value) return `${fact} is ${value}, and was told to be ${answer.value}`;
  }
  return null;
}

/** What was asked again arrives late, and an answer counts by when it was observed. */
function youngestAnswers(told: readonly EvidenceObserved[]) {
  const youngest = new Map<string, { readonly value: unknown; readonly observedAtMs: number }>();
  for (const one of told.flatMap(({ facts }) => facts)) {
    const known = youngest.get(one.fact);
    if ('value' in one && (!known || one.observedAtMs >= known.observedAtMs)) youngest.set(one.fact, one);
  }
  return youngest;
}

/** Each layer source is held for just the causes for which a person held it and did not release it. */
export function checkHolds(contents: StoreContents, conditions: readonly Conditioned[]): Violation[] {
  const newest = new Map(conditions.map((one) => [one.subject, one.condition]));
  const rejected = rejectedInputs(contents);
  const wanted = new Map<
    string,
    { readonly seq: number; readonly isHeld: boolean; readonly cause: string }
  >();
  for (const kept of contents.OPERATOR) {
    const command = parsed<OperatorCommanded>(kept);
    if (!command?.target || rejected.has(`OPERATOR/${kept.seq}`)) continue;
    const [, p, tenantId] = kept.subject.split('.');
    const { layer, source, cause } = command.target;
    const subject = `layer.${p}.${tenantId}.${layer}.${source}`;
    const isHeld = command.command === 'hold_layer';
    wanted.set(`${subject}/${cause}`, { seq: kept.seq, isHeld, cause });
  }
  return [...wanted].flatMap(([key, { seq, isHeld, cause }]) => {
    const subject = key.slice(0, key.lastIndexOf('/'));
    const condition = newest.get(subject);
    if (!condition || Object.hasOwn(condition.causes.holds, cause) === isHeld) return [];
    const told = isHeld ? 'is held, and does not say so' : 'was released, and says that it is held';
    return [violation('not_reflected', `OPERATOR/${seq}`, `${subject} ${told} (${cause})`)];
  });
}

/** A tenant's governance says whether a person froze it. */
export function checkFreezes(contents: StoreContents, conditions: readonly Conditioned[]): Violation[] {
  const newest = new Map(conditions.map((one) => [one.subject, one.condition]));
  const rejected = rejectedInputs(contents);
  const wanted = new Map<string, { readonly seq: number; readonly isFrozen: boolean }>();
  for (const { subject, seq, data } of contents.OPERATOR) {
    const command = rejected.has(`OPERATOR/${seq}`) ? null : parsed<OperatorCommanded>({ data });
    const isFrozen = command?.command === 'freeze';
    if (command?.tenantId === '_all' || (!isFrozen && command?.command !== 'unfreeze')) continue;
    const [, p, tenantId] = subject.split('.');
    wanted.set(`layer.${p}.${tenantId}.governance.main`, { seq, isFrozen });
  }
  const declared = new Set(contents.CONFIG.flatMap((kept) => parsed<TenantConfig>(kept)?.tenantId ?? []));
  return [...wanted].flatMap(([subject, { seq, isFrozen }]) => {
    const condition = newest.get(subject);
    if (!condition || !declared.has(condition.tenantId)) return [];
    const fact = condition.facts.find((one) => one.fact === 'freeze');
    if (fact?.value === isFrozen) return [];
    const told = `${subject}: freeze is ${fact?.value}, and was told to be ${isFrozen}`;
    return [violation('not_reflected', `OPERATOR/${seq}`, told)];
  });
}
