/**
 * Plays the quickstart and writes what came of it into the README beside it, the README of the repository and the
 * picture: `npm run docs`. A test plays it again and compares.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { type Played, play } from './play.ts';
import { SESSION } from './session.ts';
import { terminalPicture } from './terminal-picture.ts';
import { writeBetween } from './write-between.ts';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const README = path('../README.md');
const ROOT_README = path('../../../README.md');
const PICTURE = path('../../../docs/pictures/quickstart.svg');
const COLUMNS = 112;
/** Commands that the picture shows. */
const PICTURED = /readiness juno$|dispatch juno|explain juno/;

const dataDir = mkdtempSync(join(tmpdir(), 'orchestrate-quickstart-'));
try {
  const played = await play(SESSION, dataDir, ({ command, code }) => {
    process.stderr.write(`${code === 0 ? 'ok    ' : `exit ${code}`}  ${command}\n`);
  });
  const failed = played.filter(({ code }) => code !== 0);
  if (failed.length > 0)
    throw new Error(failed.map(({ command, output }) => `${command}\n${output}`).join('\n'));
  writeBetween(README, 'session', played.map(asMarkdown).join('\n\n'));
  const explained = played.find(({ command }) => command.includes('explain'))!;
  writeBetween(ROOT_README, 'explain', asConsole(explained));
  mkdirSync(path('../../../docs/pictures'), { recursive: true });
  const commands = played.filter(({ command }) => PICTURED.test(command));
  writeFileSync(
    PICTURE,
    await terminalPicture({ title: 'orchestrate: may this message go out now?', columns: COLUMNS, commands }),
  );
} finally {
  rmSync(dataDir, { recursive: true, force: true });
}

function asMarkdown(played: Played): string {
  const { say, after } = played.step;
  return [say, asConsole(played), ...(after ? [after] : [])].join('\n\n');
}

/** Without the spaces that a terminal does not show. */
function asConsole({ command, output }: Played): string {
  const plain = stripVTControlCharacters(output)
    .split(/\r?\n/)
    .map((line) => line.trimEnd())
    .join('\n');
  return `\`\`\`console\n$ ${command}\n${plain}\n\`\`\``.replace('\n\n```', '\n```');
}
