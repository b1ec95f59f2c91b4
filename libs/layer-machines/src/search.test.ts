import { CANONICAL_BLOCKER_LAYERS, ruleOf } from '@orchestrate/canon';
import { describe, expect, test } from 'vitest';
import { LAYER_MACHINES } from './layer-machines.ts';
import { type Found, search } from './search.test-support.ts';

/** Fewer contexts than this and the search has lost its words. */
const CONTEXTS_MIN = 100;

describe.each(CANONICAL_BLOCKER_LAYERS)(
  `everything that %s can come to, ${CONTEXTS_MIN} contexts or more`,
  (layer) => {
    const { states } = LAYER_MACHINES[layer];
    const found = search(layer);

    test('is searched to its end [L14]', () => {
      expect(found.length).toBeGreaterThanOrEqual(CONTEXTS_MIN);
      for (const one of found) expect(one.next.length).toBeGreaterThan(0);
    });

    test('is every state that the layer may show, and none beside them [L12 L14]', () => {
      expect(new Set(found.map(({ state }) => state))).toEqual(states);
    });

    test('has a way out of every state [L14]', () => {
      const left = found.filter(({ state, next }) => next.some(({ to }) => found[to]!.state !== state));
      expect(new Set(left.map(({ state }) => state))).toEqual(states);
    });

    test('has a way to ready from everywhere [L14]', () => {
      const saved = comingTo(found, ({ state }) => state === 'ready');
      expect(found.filter((_, number) => !saved.has(number)).map(({ context }) => context)).toEqual([]);
    });

    test('leads from a cooldown or a bad band to ready by way of probation only [L18 L19]', () => {
      const requalifies = ruleOf(layer).requalifies;
      const owing = found.flatMap(({ state, context }, number) => {
        const cools = state === 'cooling_down' || Object.keys(context.cooldowns).length > 0;
        const isBad = requalifies !== undefined && context.facts[requalifies]?.verdict === 'fail';
        return cools || isBad ? [number] : [];
      });
      expect(owing.length > 0).toBe(states.has('probation'));
      expect(wayRound(found, owing)).toBeNull();
    });
  },
);

/** The contexts from which one that is wanted can be reached. */
function comingTo(found: readonly Found[], isWanted: (one: Found) => boolean): ReadonlySet<number> {
  const before = found.map((): number[] => []);
  for (const [number, { next }] of found.entries()) for (const { to } of next) before[to]!.push(number);
  const reached = new Set(found.flatMap((one, number) => (isWanted(one) ? [number] : [])));
  for (const number of reached) for (const earlier of before[number]!) reached.add(earlier);
  return reached;
}

/** The steps of a way to ready on which probation never shows, or null when there is none. */
function wayRound(found: readonly Found[], from: readonly number[]): readonly string[] | null {
  const ways = new Map(from.map((number): [number, readonly string[]] => [number, [found[number]!.state]]));
  for (const [number, way] of ways) {
    const { state, next } = found[number]!;
    if (state === 'probation') continue;
    if (state === 'ready') return way;
    for (const { by, to } of next) if (!ways.has(to)) ways.set(to, [...way, by, found[to]!.state]);
  }
  return null;
}
