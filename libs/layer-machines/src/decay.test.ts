import {
  buildTruth,
  CANONICAL_BLOCKER_LAYERS,
  type CanonicalBlockerLayer,
  FACTS,
  type FactReading,
  type FactSpec,
  type FactValue,
  policyDigestOf,
  TruthReading,
} from '@orchestrate/canon';
import { describe, expect, test } from 'vitest';
import { DAY_MS, type Facts, GOOD, POLICY, Story, T0 } from './layer-source.test-support.ts';

const MANY_YEARS_MS = 4000 * DAY_MS;

type Row = readonly [name: string, layer: CanonicalBlockerLayer, fact: string, spec: FactSpec];
const ROWS: readonly Row[] = CANONICAL_BLOCKER_LAYERS.flatMap((layer) =>
  Object.entries(FACTS[layer] as Record<string, FactSpec>).map(
    ([fact, spec]): Row => [`${layer} ${fact}`, layer, fact, spec],
  ),
);
const observed = ROWS.filter(([, , , spec]) => spec.age !== 'folded');
const folded = ROWS.filter(([, , , spec]) => spec.age === 'folded');

/** A value with which the layer is ready. */
function goodValue(layer: CanonicalBlockerLayer, fact: string, spec: FactSpec): FactValue {
  const known = GOOD[layer][fact];
  if (known !== undefined) return known;
  const possible: readonly FactValue[] =
    spec.kind === 'enum'
      ? spec.values
      : spec.kind === 'boolean'
        ? [true, false]
        : [1, 0, T0 + MANY_YEARS_MS * 2];
  const good = possible.find((value) => Story.ready(layer, { [fact]: value }).state === 'ready');
  if (good === undefined) throw new Error(`no value of ${fact} leaves ${layer} ready`);
  return good;
}

const readingOf = ({ condition }: Story, fact: string): FactReading | undefined =>
  condition.facts.find((one) => one.fact === fact);

/** What somebody reads of this fact at that time in a truth that holds this condition. */
function readAt(story: Story, fact: string, nowMs: number) {
  const truth = buildTruth({
    tenantId: 'acme',
    conditions: [story.condition],
    policy: POLICY,
    policyDigest: policyDigestOf(POLICY),
    previous: null,
    atMs: story.atMs,
  });
  return new TruthReading(truth, true, nowMs).fact(story.source.layer, 'main', fact);
}

/** The layer is ready; this one fact was told at T0 and is a millisecond from its age, the others are new. */
function almostTooOld(layer: CanonicalBlockerLayer, fact: string, spec: FactSpec) {
  const value = goodValue(layer, fact, spec);
  const ageMs = spec.age === 'folded' ? MANY_YEARS_MS : POLICY.maxAgeSec[spec.age] * 1000;
  const { [fact]: _told, ...others } = GOOD[layer];
  const before = Story.ready(layer, { [fact]: value })
    .after(ageMs - 1)
    .tell(others)
    .tick();
  return { value, before, after: before.after(1).tick() };
}

test('every fact of every layer is looked at [L29]', () => {
  expect(observed.length + folded.length).toBe(
    CANONICAL_BLOCKER_LAYERS.reduce((sum, layer) => sum + Object.keys(FACTS[layer]).length, 0),
  );
});

describe.each(observed)('%s', (_, layer, fact, spec) => {
  test('is known until the last millisecond of its age, and unknown from then on [L29]', () => {
    const { value, before, after } = almostTooOld(layer, fact, spec);
    expect(readingOf(before, fact)).toMatchObject({ value, verdict: 'pass' });
    expect(readingOf(before, fact)?.expiresAtMs).toBe(after.atMs);
    // The last value stays in sight as history.
    expect(readingOf(after, fact)).toMatchObject({
      value,
      verdict: 'unknown',
      severity: 'none',
      reason: 'expired',
    });
  });

  test('reads so in a truth that nobody has built anew since, and in one that was [T12]', () => {
    const { value, before, after } = almostTooOld(layer, fact, spec);
    const gone = { value: undefined, verdict: 'unknown', reason: 'expired', stale: true };
    expect(readAt(before, fact, after.atMs - 1)).toMatchObject({ value, verdict: 'pass', stale: false });
    expect(readAt(before, fact, after.atMs)).toMatchObject(gone);
    expect(readAt(after, fact, after.atMs)).toMatchObject(gone);
  });

  test('leaves its layer unknown if the layer needs it, and as it was if not [L29]', () => {
    const { before, after } = almostTooOld(layer, fact, spec);
    expect(before.shows).toBe('ready ok');
    expect(after.shows).toBe(spec.required ? 'unknown expired' : 'ready ok');
  });

  test('does not hide what is worse [L4 L29]', () => {
    const { before } = almostTooOld(layer, fact, spec);
    const held = before.receive({ type: 'operator_hold', cause: 'operator_hold' }).after(1).tick();
    expect(readingOf(held, fact)?.verdict).toBe('unknown');
    expect(held.state).toBe('operator_review');
  });

  test('comes back with a new answer [L29]', () => {
    const { value, after } = almostTooOld(layer, fact, spec);
    const told: Facts = { [fact]: value };
    expect(after.tell(told).shows).toBe('ready ok');
    expect(readingOf(after.tell(told), fact)).toMatchObject({ value, verdict: 'pass' });
  });
});

describe.each(folded)('%s', (_, layer, fact, spec) => {
  test('does not grow old: it is ours to tell, and its source’s heartbeat says that it is told [L30]', () => {
    const { before, after } = almostTooOld(layer, fact, spec);
    const known = readingOf(Story.ready(layer, { [fact]: goodValue(layer, fact, spec) }), fact)!;
    expect(known).toMatchObject({ verdict: 'pass', expiresAtMs: null });
    for (const story of [before, after]) {
      expect(readingOf(story, fact)).toMatchObject({ value: known.value, verdict: 'pass' });
      expect(readAt(story, fact, after.atMs)).toMatchObject({ value: known.value, stale: false });
    }
    expect(after.state).toBe('ready');
  });
});
