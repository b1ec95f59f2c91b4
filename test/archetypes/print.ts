/**
 * Shows what becomes of the archetypes: all of them in a line each, or one of them day by day.
 *
 *     node test/archetypes/print.ts
 *     node test/archetypes/print.ts two-complaints
 */
import { DISPATCH_DECISIONS } from '@orchestrate/canon';
import { ARCHETYPES } from './archetypes.ts';
import type { Day } from './day-book.ts';
import { type Story, simulate } from './simulation.ts';

const [id] = process.argv.slice(2);
const chosen = ARCHETYPES.filter((archetype) => id === undefined || archetype.id === id);
if (chosen.length === 0) {
  const known = ARCHETYPES.map((archetype) => archetype.id).join(', ');
  process.stderr.write(`no archetype \`${id}\`: use one of ${known}\n`);
  process.exitCode = 1;
}
for (const archetype of chosen) {
  const story = simulate(archetype);
  process.stdout.write(id === undefined ? line(story) : table(story));
}

function kindsOf({ kinds, expired }: Day): string {
  const counted = DISPATCH_DECISIONS.filter((kind) => kinds[kind] > 0).map((kind) => `${kind} ${kinds[kind]}`);
  return [...counted, ...(expired > 0 ? [`hold_expired ${expired}`] : [])].join(', ');
}

function line({ archetype, days }: Story): string {
  const runs: { from: number; to: number; text: string }[] = [];
  for (const day of days) {
    const text = `${kindsOf(day)} [${day.states.pacing}, ${day.mode}]`;
    const last = runs.at(-1);
    if (last?.text === text) last.to = day.day;
    else runs.push({ from: day.day, to: day.day, text });
  }
  const shown = runs.map(({ from, to, text }) => `  ${from === to ? from : `${from} to ${to}`}: ${text}\n`);
  return `${archetype.id}: ${archetype.title}\n${shown.join('')}`;
}

function table({ archetype, days }: Story): string {
  const rows = days.map(
    (day) =>
      `${String(day.day).padStart(3)}  ${String(day.sends).padStart(4)}  ${day.states.pacing.padEnd(15)} ${day.mode.padEnd(17)} ${kindsOf(day)}${day.mainCause ? `  (${day.mainCause})` : ''}\n`,
  );
  return `${archetype.title}\nday  sent  pacing at noon  mode at noon      what requests came to\n${rows.join('')}`;
}
