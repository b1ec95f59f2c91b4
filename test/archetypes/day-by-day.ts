import { DISPATCH_DECISIONS } from '@orchestrate/canon';
import type { Day } from './day-book.ts';
import type { Story } from './simulation.ts';

/** What the requests of a day came to: `APPROVE 21, HOLD_FOR_HUMAN_REVIEW 9`. */
export function requestsOf({ kinds, expired }: Day): string {
  const counted = DISPATCH_DECISIONS.filter((kind) => kinds[kind] > 0).map(
    (kind) => `${kind} ${kinds[kind]}`,
  );
  if (expired > 0) counted.push(`hold_expired ${expired}`);
  return counted.length === 0 ? 'nothing was asked' : counted.join(', ');
}

/** The state of the layer on which it hangs, and the mode: `provisioning, autonomous`. */
export function standingOf({ archetype }: Story, day: Day): string {
  return `${day.states[archetype.layer ?? 'pacing']}, ${day.mode}`;
}

/** All sixty days in order, those that are the same in one line: `1-10 APPROVE 30 | ready, autonomous`. */
export function dayByDay(story: Story): readonly string[] {
  return runsOf(story.days, (day) => `${requestsOf(day)} | ${standingOf(story, day)}`).map(
    ({ from, to, text }) => `${from === to ? from : `${from}-${to}`} ${text}`,
  );
}

export interface Run {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

export function runsOf(days: readonly Day[], textOf: (day: Day) => string): readonly Run[] {
  const runs: Run[] = [];
  for (const day of days) {
    const text = textOf(day);
    const from = runs.at(-1)?.text === text ? runs.pop()!.from : day.day;
    runs.push({ from, to: day.day, text });
  }
  return runs;
}
