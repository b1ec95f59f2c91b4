import {
  type CanonicalBlockerLayer,
  FACTS,
  type FactSpec,
  type FactValue,
  LAYER_EVENTS,
  UNKNOWN_REASONS,
} from '@orchestrate/canon';
import fc from 'fast-check';
import type { LayerEvent } from './layer-event.ts';
import { DAY_MS, GOOD, HOUR_MS, POLICY, SEC_MS, T0 } from './layer-source.test-support.ts';
import { LayerSource } from './layer-source.ts';
import type { Observation } from './observation.ts';

type Happening =
  | { readonly kind: 'observe'; readonly seen: readonly Observation[] }
  | { readonly kind: 'receive'; readonly event: LayerEvent }
  | { readonly kind: 'tick' | 'lose' | 'regain' | 'refresh' };
export interface Step {
  readonly waitMs: number;
  readonly happening: Happening;
}

const wait = fc.constantFrom(0, 1, SEC_MS, 30 * SEC_MS, HOUR_MS, DAY_MS, 8 * DAY_MS);
const cause = fc.constantFrom('x', 'freeze', 'band', 'band_quarantined', 'quota_full', 'maintenance');

function someValue(spec: FactSpec): fc.Arbitrary<FactValue> {
  if (spec.kind === 'enum') return fc.constantFrom(...spec.values);
  if (spec.kind === 'boolean') return fc.boolean();
  return spec.unit === 'ms since epoch'
    ? fc.nat(2 * DAY_MS).map((ms) => T0 + ms)
    : fc.constantFrom(0, 1, 50, 100, 5000, spec.max);
}

export function observationsOf(layer: CanonicalBlockerLayer): fc.Arbitrary<readonly Observation[]> {
  const facts = FACTS[layer] as Record<string, FactSpec>;
  const good = Object.entries(GOOD[layer]);
  const one = fc.constantFrom(...Object.keys(facts)).chain((fact) => {
    const observedAtMs = fc.integer({ min: -DAY_MS, max: 10 * DAY_MS }).map((ms) => T0 + ms);
    const unknown = fc.constantFrom(...UNKNOWN_REASONS).map((reason) => ({ unknown: reason }));
    const answer = someValue(facts[fact]!).map((value) => ({ value }));
    return fc.record({
      fact: fc.constant(fact),
      observedAtMs,
      outcome: fc.oneof({ weight: 3, arbitrary: answer }, unknown),
    });
  });
  const allGood = fc
    .nat(10 * DAY_MS)
    .map((ms) => good.map(([fact, value]) => ({ fact, observedAtMs: T0 + ms, outcome: { value } })));
  return fc.oneof(fc.array(one, { minLength: 1, maxLength: 4 }), allGood);
}

export function eventOf(layer: CanonicalBlockerLayer): fc.Arbitrary<LayerEvent> {
  const fact = fc.constantFrom(...Object.keys(FACTS[layer]));
  const any = fc.record({
    type: fc.constantFrom(
      ...LAYER_EVENTS.filter((name) => !/^check_(passed|failed|inconclusive)/.test(name)),
    ),
    atMs: fc.constant(0),
    cause,
    fact,
    facts: fc.array(fact, { maxLength: 2 }),
    reason: fc.constantFrom('expired', 'handler_fault'),
    id: fc.constantFrom('s', 'import_running'),
    runId: fc.constantFrom('r1', 'r2'),
    ours: fc.boolean(),
    untilMs: fc.nat(3 * DAY_MS).map((ms) => T0 + ms),
    deadlineMs: fc.nat(3 * DAY_MS).map((ms) => T0 + ms),
  });
  return any as unknown as fc.Arbitrary<LayerEvent>;
}

export const historyOf = (layer: CanonicalBlockerLayer): fc.Arbitrary<readonly Step[]> => {
  const happening: fc.Arbitrary<Happening> = fc.oneof(
    { weight: 4, arbitrary: observationsOf(layer).map((seen): Happening => ({ kind: 'observe', seen })) },
    { weight: 3, arbitrary: eventOf(layer).map((event): Happening => ({ kind: 'receive', event })) },
    { weight: 2, arbitrary: fc.constant<Happening>({ kind: 'tick' }) },
    fc.constantFrom<Happening>({ kind: 'lose' }, { kind: 'regain' }, { kind: 'refresh' }),
  );
  const step = fc.record({ waitMs: wait, happening });
  // Deliveries are repeated and swapped as a redelivering stream would.
  return fc
    .tuple(fc.array(step, { maxLength: 14 }), fc.array(fc.nat(), { maxLength: 4 }))
    .map(([steps, again]) =>
      again.reduce<Step[]>(
        (all, n) => (all.length === 0 ? all : all.toSpliced((n * 7) % all.length, 0, all[n % all.length]!)),
        steps,
      ),
    );
};

function live(source: LayerSource, { happening }: Step, atMs: number): LayerSource {
  switch (happening.kind) {
    case 'observe':
      return source.observe(happening.seen, POLICY, atMs);
    case 'receive':
      return source.receive({ ...happening.event, atMs }, POLICY) ?? source;
    case 'tick':
      return source.tick(POLICY, atMs);
    case 'lose':
      return source.loseHeartbeat(atMs);
    case 'regain':
      return source.regainHeartbeat(POLICY, atMs);
    case 'refresh':
      return source.refreshFolded(POLICY, atMs);
  }
}

export function lives(
  layer: CanonicalBlockerLayer,
  steps: readonly Step[],
  see: (source: LayerSource, atMs: number) => void,
): void {
  let source = LayerSource.create({ tenantId: 'acme', layer, source: 'main', enabled: true });
  let atMs = T0;
  for (const step of steps) {
    atMs += step.waitMs;
    source = live(source, step, atMs);
    see(source, atMs);
  }
}
