/**
 * Shows what becomes of the archetypes: all of them in a few lines each, or one of them day by day.
 *
 *     node test/archetypes/print.ts
 *     node test/archetypes/print.ts two-complaints
 */
import { ARCHETYPES } from './archetypes.ts';
import { dayByDay, requestsOf, standingOf } from './day-by-day.ts';
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
  process.stdout.write(`${archetype.id}: ${archetype.title}\n`);
  const lines = id === undefined ? dayByDay(story).map((line) => `  ${line}`) : rowsOf(story);
  process.stdout.write(`${lines.join('\n')}\n`);
}

function rowsOf(story: Story): readonly string[] {
  const cells = story.days.map((day) => [
    String(day.day),
    String(day.sends),
    standingOf(story, day),
    `${requestsOf(day)}${day.mainCause === null ? '' : ` (${day.mainCause})`}`,
  ]);
  const head = ['day', 'sent', `${story.archetype.layer ?? 'pacing'} and mode at noon`, 'requests'];
  const widths = head.map((title, column) =>
    Math.max(title.length, ...cells.map((row) => row[column]!.length)),
  );
  return [head, ...cells].map((row) =>
    row
      .map((text, column) => text.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
}
