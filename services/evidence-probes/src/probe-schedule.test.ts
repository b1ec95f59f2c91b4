import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProbeSchedule } from './probe-schedule.ts';

describe('a schedule', () => {
  test('gives what is due, earliest first, once', () => {
    const schedule = new ProbeSchedule();
    schedule.set('late', 30);
    schedule.set('early', 10);
    schedule.set('middle', 20);
    expect(schedule.nextDueMs()).toBe(10);
    expect(schedule.takeDue(20)).toEqual(['early', 'middle']);
    expect(schedule.takeDue(20)).toEqual([]);
    expect(schedule.nextDueMs()).toBe(30);
    expect(schedule.size).toBe(1);
  });

  test('what is set anew counts from then on, earlier or later', () => {
    const schedule = new ProbeSchedule();
    schedule.set('a', 10);
    schedule.set('a', 50);
    schedule.set('b', 90);
    schedule.set('b', 20);
    expect(schedule.takeDue(49)).toEqual(['b']);
    expect(schedule.takeDue(100)).toEqual(['a']);
  });

  test('what is removed never comes', () => {
    const schedule = new ProbeSchedule();
    schedule.set('a', 10);
    schedule.remove('a');
    expect(schedule.nextDueMs()).toBeNull();
    expect(schedule.takeDue(10)).toEqual([]);
  });

  test('nothing that is pulled forward waits longer, and nothing is put off', () => {
    const schedule = new ProbeSchedule();
    schedule.set('far', 1_000);
    schedule.set('near', 10);
    schedule.pullForward(100);
    expect(schedule.takeDue(10)).toEqual(['near']);
    expect(schedule.takeDue(100)).toEqual(['far']);
  });

  test('what is set anew ten thousand times is still due once, and last said when', () => {
    const schedule = new ProbeSchedule();
    schedule.set('other', 5);
    for (let n = 0; n < 10_000; n++) schedule.set('a', 100 + (n % 7));
    expect(schedule.takeDue(1_000)).toEqual(['other', 'a']);
    expect(schedule.nextDueMs()).toBeNull();
  });

  test('does what a plain list does, whatever is asked of it', () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd');
    const command = fc.oneof(
      fc.record({ do: fc.constant('set' as const), key, at: fc.nat(50) }),
      fc.record({ do: fc.constant('remove' as const), key, at: fc.nat(50) }),
      fc.record({ do: fc.constant('take' as const), key, at: fc.nat(50) }),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 3_000 }), (commands) => {
        const schedule = new ProbeSchedule();
        const plain = new Map<string, number>();
        for (const { do: what, key, at } of commands) {
          if (what === 'set') {
            schedule.set(key, at);
            plain.set(key, at);
          } else if (what === 'remove') {
            schedule.remove(key);
            plain.delete(key);
          } else {
            const due = [...plain].filter(([, dueAt]) => dueAt <= at).map(([name]) => name);
            for (const name of due) plain.delete(name);
            expect(new Set(schedule.takeDue(at))).toEqual(new Set(due));
          }
          expect(schedule.size).toBe(plain.size);
          expect(schedule.nextDueMs()).toBe(plain.size ? Math.min(...plain.values()) : null);
        }
      }),
      { numRuns: 60 },
    );
  });
});
