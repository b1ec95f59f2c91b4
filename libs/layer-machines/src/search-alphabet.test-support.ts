import {
  type CanonicalBlockerLayer,
  FACTS,
  type FactSpec,
  type FactValue,
  isSampleReason,
  type KnownFacts,
  ruleOf,
} from '@orchestrate/canon';
import { DAY_MS, type Facts, GOOD, POLICY, T0 } from './layer-source.test-support.ts';

/** Numbers that lie on both sides of the thresholds of the policy. */
const NUMBERS = [0, 0.5, 1, 40, 50, 100, 200, 2001, 20_001];

/** What can be told of one layer, as few words as mean different things to its rule. */
export interface Alphabet {
  /** For each kind of bad news one fact that brings it. */
  readonly bad: readonly Facts[];
  /** For each of those facts an answer that is none. */
  readonly good: readonly Facts[];
  /** Facts that fail in these words, or that owe something when they are left. */
  readonly expiring: readonly string[];
}

const alphabets = new Map<CanonicalBlockerLayer, Alphabet>();

export function alphabetOf(layer: CanonicalBlockerLayer): Alphabet {
  const known = alphabets.get(layer) ?? wordsOf(layer);
  alphabets.set(layer, known);
  return known;
}

function wordsOf(layer: CanonicalBlockerLayer): Alphabet {
  const rule = ruleOf(layer);
  const bad: Facts[] = [];
  const good: Facts[] = [];
  const expiring = new Set<string>(rule.requalifies ? [rule.requalifies] : []);
  const kinds = new Set([kindOf(layer, {})]);
  for (const told of thingsToSay(layer)) {
    const kind = kindOf(layer, told);
    if (kinds.has(kind)) continue;
    kinds.add(kind);
    bad.push(told);
    for (const fact of Object.keys(told)) {
      if (kind.includes('hard')) expiring.add(fact);
      const healed = harmlessValueOf(layer, fact);
      if (healed !== undefined && !good.some((other) => fact in other)) good.push({ [fact]: healed });
    }
  }
  return { bad, good, expiring: [...expiring] };
}

/** Every fact with every value, and each beside a fact that means nothing alone (whose key it is). */
function thingsToSay(layer: CanonicalBlockerLayer): readonly Facts[] {
  const derived = ruleOf(layer).derive?.(GOOD[layer], MOMENT) ?? {};
  const facts = Object.entries(FACTS[layer] as Record<string, FactSpec>).filter(
    ([fact]) => !(fact in derived),
  );
  const singles = facts.flatMap(([fact, spec]) => valuesOf(spec).map((value) => ({ [fact]: value })));
  const flags = facts
    .flatMap(([fact, spec]) => (spec.kind === 'boolean' && !(fact in GOOD[layer]) ? [{ [fact]: true }] : []))
    .filter((flag) => kindOf(layer, flag) === kindOf(layer, {}));
  return [...singles, ...flags.flatMap((flag) => singles.map((single) => ({ ...single, ...flag })))];
}

function harmlessValueOf(layer: CanonicalBlockerLayer, fact: string): FactValue | undefined {
  if (fact in GOOD[layer]) return GOOD[layer][fact];
  const spec = (FACTS[layer] as Record<string, FactSpec>)[fact]!;
  return valuesOf(spec).findLast((one) => kindOf(layer, { [fact]: one }) === kindOf(layer, {}));
}

const MOMENT = { policy: POLICY, atMs: T0 };

/** What the rule makes of one answer beside good ones, as far as a machine can tell it from another. */
function kindOf(layer: CanonicalBlockerLayer, told: Facts): string {
  const rule = ruleOf(layer);
  const before = { ...GOOD[layer], ...told } as KnownFacts;
  const known = { ...before, ...rule.derive?.(before, MOMENT) } as KnownFacts;
  const judged = Object.keys(known).flatMap((fact) => {
    const { verdict, severity, reason, owner, background, graceUntilMs } = rule.judge(
      fact as never,
      known,
      MOMENT,
    );
    const dated = graceUntilMs !== undefined && graceUntilMs > T0;
    return verdict === 'pass'
      ? []
      : [[verdict, severity, isSampleReason(reason), owner ?? rule.owner, background, dated]];
  });
  const causes = (rule.causes?.(known, MOMENT) ?? []).map(({ kind }) => kind);
  return JSON.stringify([judged, causes]);
}

function valuesOf(spec: FactSpec): readonly FactValue[] {
  if (spec.kind === 'enum') return spec.values;
  if (spec.kind === 'boolean') return [true, false];
  return spec.unit === 'ms since epoch'
    ? [T0 - DAY_MS, T0 + DAY_MS]
    : NUMBERS.filter((one) => one >= spec.min && one <= spec.max);
}
