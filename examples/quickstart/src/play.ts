import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { HELD, HELD_KIND, type Step } from './session.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SETTLED_MS_MAX = 60_000;
export const COLUMNS = 124;

export interface Played {
  readonly step: Step;
  /** As a person would type it. */
  readonly command: string;
  /** Both streams of the command, with colours. */
  readonly output: string;
  readonly code: number;
}

/** Runs the commands of a session one after another against a fresh store, as somebody at a terminal would. */
export async function play(
  session: readonly Step[],
  dataDir: string,
  onPlayed: (played: Played) => void = () => {},
): Promise<readonly Played[]> {
  const all: Played[] = [];
  await using _platform = { [Symbol.asyncDispose]: () => stop(dataDir) };
  for (const step of session) {
    const command = step.command.replace(HELD, () => heldIn(all));
    const deadline = Date.now() + SETTLED_MS_MAX;
    for (;;) {
      const { output, code } = await run(command, dataDir);
      if (step.until && !step.until.test(output) && Date.now() < deadline) {
        await sleep(200);
        continue;
      }
      const played = { step, command, output, code };
      all.push(played);
      onPlayed(played);
      break;
    }
  }
  return all;
}

/** Whatever went wrong, no platform is left behind. */
async function stop(dataDir: string): Promise<void> {
  await run('npx orchestrate down', dataDir);
}

function heldIn(played: readonly Played[]): string {
  const lines = played.flatMap(({ output }) => stripVTControlCharacters(output).split('\n'));
  const line = lines.findLast((one) => one.includes(HELD_KIND) && /d-[0-9a-f]+/.test(one));
  const found = /d-[0-9a-f]+/.exec(line ?? '')?.[0];
  if (!found) throw new Error(`no output shows a dispatch with ${HELD_KIND}:\n${lines.join('\n')}`);
  return found;
}

/** The folder of the store is another one than a person's, and reads as if it were theirs. */
async function run(command: string, dataDir: string): Promise<{ output: string; code: number }> {
  const child = spawn('bash', ['-c', command.replaceAll('.orchestrate/', `${dataDir}/`)], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      NO_COLOR: '',
      FORCE_COLOR: '1',
      COLUMNS: String(COLUMNS),
      ORCHESTRATE_DATA_DIR: dataDir,
      NATS_URL: '',
    },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  const code = await new Promise<number>((done) => child.on('close', (ended) => done(ended ?? -1)));
  return { output: output.replaceAll(dataDir, '.orchestrate').trimEnd(), code };
}

/** What must be the same in every run: the words, without numbers, ids, and how wide a column happened to be. */
/** What differs from run to run: ids, digests, places, times, how long something took. All other figures count. */
const RUN_SPECIFIC = [
  /\b[0-9a-f]{8,}(-[0-9a-f]+)*\b/g,
  /\bd-[0-9a-f]+/g,
  /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g,
  /\d\d:\d\d:\d\d/g,
  /127\.0\.0\.1:\d+/g,
  /\b(?:pid|epoch|record) \d+/g,
  /\b(?:CONFIG|DECISIONS|TRUTH)\/\d+/g,
  /\d+(?:\.\d+)? ?(?:ms|s|min|h|d)\b/g,
];

/** What must be the same in every run, however wide a column happened to be. */
export function wordsOf(output: string, { anyOrder, lastLine }: Step): string {
  const plain = RUN_SPECIFIC.reduce(
    (text, one) => text.replaceAll(one, '#'),
    stripVTControlCharacters(output),
  );
  const lines = plain.split('\n').map((line) => line.replaceAll(/\s+/g, ' ').trim());
  const told = lastLine ? lines.filter((line) => line !== '').slice(-1) : lines;
  // Of records that may come in another order the place is no part of what is said.
  const ordered = anyOrder ? told.map((line) => line.replace(/^\d+ /, '')).toSorted() : told;
  return ordered.join(' ').replaceAll(/\s+/g, ' ').trim();
}
