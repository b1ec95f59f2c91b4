import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Due, DueHeap } from './due-heap.ts';

interface Named extends Due {
  readonly name: string;
}
const named = (name: string): Named => ({ name, dueMs: null, queuedMs: null });

describe('DueHeap', () => {
  it('gives what is due, earliest first, and each once', () => {
    const heap = new DueHeap<Named>();
    const [late, early] = [named('late'), named('early')];
    heap.set(late, 20);
    heap.set(early, 10);
    expect([...heap.due(9)]).toEqual([]);
    expect([...heap.due(25)].map((one) => one.name)).toEqual(['early', 'late']);
    expect([...heap.due(99)]).toEqual([]);
  });

  it('gives each at the time that was set last, as a list that is searched would', () => {
    const names = ['a', 'b', 'c'];
    const step = fc.oneof(
      fc.record({ name: fc.constantFrom(...names), atMs: fc.option(fc.integer({ min: 0, max: 50 })) }),
      fc.record({ nowMs: fc.integer({ min: 0, max: 50 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const heap = new DueHeap<Named>();
        const items = new Map(names.map((name) => [name, named(name)]));
        const expected = new Map<string, number>();
        for (const one of steps) {
          if ('nowMs' in one) {
            const due = [...expected].filter(([, atMs]) => atMs <= one.nowMs).map(([name]) => name);
            for (const name of due) expected.delete(name);
            expect(new Set([...heap.due(one.nowMs)].map(({ name }) => name))).toEqual(new Set(due));
          } else {
            heap.set(items.get(one.name)!, one.atMs);
            if (one.atMs === null) expected.delete(one.name);
            else expected.set(one.name, one.atMs);
          }
        }
      }),
    );
  });
});
