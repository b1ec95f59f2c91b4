// biome-ignore lint/correctness/noUnresolvedImports: a CommonJS package, whose exports Biome does not see
import xterm, { type IBufferCell, type Terminal } from '@xterm/headless';

const CELL_PX = { width: 7.8, height: 17 } as const;
const FRAME_PX = { side: 18, top: 44, bottom: 16 } as const;
const ROWS_MAX = 4_000;
/** What stands together: single spaces only. */
const WORDS = /\S+(?: \S+)*/g;
const TEXT = '#d7dce2';
/** The sixteen colours of a terminal, readable on the dark frame (WCAG contrast of 4.5 and more). */
const PALETTE = [
  '#7c8694',
  '#ff7b72',
  '#56d364',
  '#e3b341',
  '#79b8ff',
  '#d2a8ff',
  '#56d4dd',
  '#d7dce2',
  '#9aa4b2',
  '#ffa198',
  '#7ee787',
  '#f2cc60',
  '#a5d6ff',
  '#e2c5ff',
  '#76e3ea',
  '#ffffff',
];

/** What was typed and what came of it, drawn as a terminal shows it: an SVG without scripts or fonts of its own. */
export async function terminalPicture(options: {
  readonly title: string;
  readonly columns: number;
  readonly commands: readonly { readonly command: string; readonly output: string }[];
}): Promise<string> {
  const { title, columns, commands } = options;
  const terminal = new xterm.Terminal({
    cols: columns,
    rows: ROWS_MAX,
    convertEol: true,
    allowProposedApi: true,
  });
  const text = commands
    .map(({ command, output }) => `\u001b[1;32m$\u001b[0m \u001b[1m${command}\u001b[0m\n${output}\n`)
    .join('\n');
  await new Promise<void>((done) => terminal.write(text, done));
  const lines = linesOf(terminal);
  terminal.dispose();
  const width = Math.ceil(columns * CELL_PX.width + 2 * FRAME_PX.side);
  const height = Math.ceil(lines.length * CELL_PX.height + FRAME_PX.top + FRAME_PX.bottom);
  const rows = lines.map((line, row) => {
    const y = FRAME_PX.top + (row + 0.75) * CELL_PX.height;
    return line === '' ? '' : `<text y="${y.toFixed(1)}">${line}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" role="img" aria-label="${escaped(title)}">
<rect width="${width}" height="${height}" rx="10" fill="#0f1720"/>
<circle cx="22" cy="20" r="5.5" fill="#ff5f57"/><circle cx="40" cy="20" r="5.5" fill="#febc2e"/><circle cx="58" cy="20" r="5.5" fill="#28c840"/>
<text x="${width / 2}" y="24" text-anchor="middle" fill="#9aa4b2" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="12">${escaped(title)}</text>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="12.5" fill="${TEXT}" xml:space="preserve">
${rows.filter((row) => row !== '').join('\n')}
</g>
</svg>
`;
}

function linesOf(terminal: Terminal): string[] {
  const buffer = terminal.buffer.active;
  const lines: string[] = [];
  for (let row = 0; row < buffer.length; row++) {
    const line = buffer.getLine(row);
    const runs: { style: string; text: string; column: number }[] = [];
    for (let column = 0; line && column < terminal.cols; column++) {
      const cell = line.getCell(column);
      const chars = cell?.getChars() || ' ';
      const style = cell ? styleOf(cell) : '';
      const last = runs.at(-1);
      if (last && last.style === style) last.text += chars;
      else runs.push({ style, text: chars, column });
    }
    // Each column of a table stands at its own place, so that a font of another width still keeps it straight.
    const cells = runs.flatMap(({ style, text, column }) =>
      [...text.matchAll(WORDS)].map((found) => ({ style, text: found[0], column: column + found.index })),
    );
    lines.push(
      cells
        .map(({ style, text, column }) => {
          const x = (FRAME_PX.side + column * CELL_PX.width).toFixed(1);
          const length = (text.length * CELL_PX.width).toFixed(1);
          return `<tspan x="${x}" textLength="${length}"${style}>${escaped(text)}</tspan>`;
        })
        .join(''),
    );
  }
  while (lines.at(-1) === '') lines.pop();
  return lines;
}

function styleOf(cell: IBufferCell): string {
  const colour = cell.isFgPalette() ? PALETTE[cell.getFgColor()] : undefined;
  return [
    colour ? ` fill="${colour}"` : '',
    cell.isBold() ? ' font-weight="700"' : '',
    cell.isDim() ? ' fill-opacity="0.65"' : '',
  ].join('');
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
