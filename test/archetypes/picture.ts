import { DISPATCH_DECISIONS, type DispatchDecision } from '@orchestrate/canon';
import { DAYS } from './calendar.ts';
import type { Day } from './day-book.ts';
import { runsOf } from './day-by-day.ts';
import type { Story } from './simulation.ts';

export const PICTURE = 'docs/pictures/archetypes.svg';
export const PAGE = 'docs/explanation/archetypes.md';
/** What stands before the table in the page. */
export const MADE_IN_THE_PAGE = '<!-- archetypes: made by `npm run docs` -->';

/** From what goes out to what never will; told apart by people who see few colours too, on light and on dark. */
const COLOURS: Readonly<Record<DispatchDecision, string>> = {
  APPROVE: '#2f9e6e',
  DEGRADE_AND_APPROVE: '#a8d65c',
  HOLD_FOR_CONTEXT: '#8fb8de',
  HOLD_FOR_REPUTATION: '#4178be',
  HOLD_FOR_REPLY_RISK: '#9a7fd1',
  HOLD_FOR_HUMAN_REVIEW: '#f2a33a',
  BLOCK: '#c2413b',
};
const CELL = { width: 12, height: 16, gap: 1 } as const;
const LEGEND = { columns: 4, width: 200 } as const;
const ROW_PX = 22;
const LEFT_PX = 286;
const TOP_PX = 84;
const WIDTH_PX = LEFT_PX + DAYS * CELL.width + 16;
const TICKS = [1, 10, 20, 30, 40, 50, 60] as const;

/** A row for each archetype, a column for each day: what its requests came to, by share. */
export function pictureOf(stories: readonly Story[]): string {
  const height = TOP_PX + stories.length * ROW_PX + 14;
  const rows = stories.map((story, index) => rowOf(story, TOP_PX + index * ROW_PX));
  const ticks = TICKS.map(
    (day) =>
      `<text class="s" x="${xOf(day) + CELL.width / 2}" y="${TOP_PX - 10}" text-anchor="middle">${day}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH_PX} ${height}" width="${WIDTH_PX}" role="img" aria-labelledby="title desc">
<title id="title">What becomes of ${stories.length} kinds of tenants in sixty days</title>
<desc id="desc">One row for each kind of tenant, one column for each day, coloured by the decisions that its requests came to, each by its share. The table below the picture says the same in words.</desc>
<style>text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;font-size:13px;fill:#1b2733}.s{font-size:12px;fill:#4a5766}.n{fill:#8b93a1;fill-opacity:.16}
@media (prefers-color-scheme: dark){text{fill:#e6ebf1}.s{fill:#a9b4c2}}</style>
${legend()}
<text class="s" x="${LEFT_PX - 12}" y="${TOP_PX - 10}" text-anchor="end">day</text>
${ticks.join('')}
${rows.join('\n')}
</svg>
`;
}

function legend(): string {
  const entries = DISPATCH_DECISIONS.map((kind, index) => {
    const x = 16 + (index % LEGEND.columns) * LEGEND.width;
    const y = 20 + Math.floor(index / LEGEND.columns) * 20;
    const swatch = `<rect x="${x}" y="${y - 10}" width="12" height="12" rx="2" fill="${COLOURS[kind]}"/>`;
    return `${swatch}<text class="s" x="${x + 18}" y="${y}">${kind}</text>`;
  });
  return entries.join('');
}

/** A day on which nothing was asked stays empty; what goes out stands at the bottom of its column. */
function rowOf({ archetype, days }: Story, y: number): string {
  const paths: Record<string, string> = {};
  const draw = (fill: string, path: string) => {
    paths[fill] = (paths[fill] ?? '') + path;
  };
  for (const { day, kinds } of days) {
    const asked = askedFor(kinds);
    let bottom = y + CELL.height;
    if (asked === 0) draw('class="n"', cellOf(day, y, CELL.height));
    for (const kind of DISPATCH_DECISIONS.filter((one) => kinds[one] > 0)) {
      const height = (kinds[kind] / asked) * CELL.height;
      bottom -= height;
      draw(`fill="${COLOURS[kind]}"`, cellOf(day, bottom, height));
    }
  }
  const drawn = Object.entries(paths).map(([fill, path]) => `<path ${fill} d="${path}"/>`);
  const title = `<text x="${LEFT_PX - 12}" y="${y + 12}" text-anchor="end">${archetype.title}</text>`;
  return `<g>${title}${drawn.join('')}</g>`;
}

function cellOf(day: number, top: number, height: number): string {
  const width = CELL.width - CELL.gap;
  return `M${xOf(day)} ${round(top)}h${width}v${round(height)}h-${width}z`;
}

const xOf = (day: number): number => LEFT_PX + (day - 1) * CELL.width;
const round = (px: number): number => Math.round(px * 10) / 10;

/** The same in words: each archetype, and its days. */
export function tableOf(stories: readonly Story[]): string {
  const rows = stories.map((story) => `| ${story.archetype.title} | ${daysInWords(story)} |`);
  return ['| tenant | days |', '|---|---|', ...rows].join('\n');
}

/** A weekend between two weeks that are the same is no news. */
function daysInWords({ days }: Story): string {
  const runs = runsOf(
    days.filter(({ kinds }) => askedFor(kinds) > 0),
    wordsOf,
  );
  return runs.map(({ from, to, text }) => `${from === to ? from : `${from} to ${to}`}: ${text}`).join('<br>');
}

/** What went out on a day, and what most of the rest waits for. */
function wordsOf(day: Day): string {
  const sent = DISPATCH_DECISIONS.slice(0, 2).filter((kind) => day.kinds[kind] > 0);
  if (sent.length > 0) return sent.map((kind) => `${kind} ${day.kinds[kind]}`).join(', ');
  const [most] = DISPATCH_DECISIONS.toSorted((a, b) => day.kinds[b] - day.kinds[a]);
  return `${most}, \`${day.mainCause?.split(' ')[0]}\``;
}

const askedFor = (kinds: Day['kinds']): number => Object.values(kinds).reduce((sum, count) => sum + count, 0);
