import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Played, play, wordsOf } from './src/play.ts';
import { SESSION } from './src/session.ts';

const BLOCK = /^```console\n\$ (.*)\n([\s\S]*?)^```$/gm;

describe('the quickstart', () => {
  let dataDir: string;
  let played: readonly Played[];
  let blocks: readonly { command: string; output: string }[];

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'orchestrate-quickstart-'));
    played = await play(SESSION, dataDir);
    const readme = await readFile(new URL('README.md', import.meta.url), 'utf8');
    blocks = [...readme.matchAll(BLOCK)].map(([, command, output]) => ({
      command: command!,
      output: output!,
    }));
  }, 180_000);
  afterAll(() => rm(dataDir, { recursive: true, force: true }));

  it('is ten commands, and what its README shows are these', () => {
    expect(SESSION.filter(({ shell }) => !shell)).toHaveLength(10);
    const shown = blocks.map(({ command }) => command.replace(/\bd-[0-9a-f]+/, '<held>'));
    expect(shown).toEqual(SESSION.map(({ command }) => command));
  });

  it.each(SESSION.map(({ command }, index) => [command, index] as const))(
    '`%s` prints what its README shows',
    (_command, index) => {
      const { output, code, step } = played[index]!;
      expect(code, output).toBe(0);
      expect(wordsOf(output, step.anyOrder)).toBe(wordsOf(blocks[index]!.output, step.anyOrder));
    },
  );

  it('releases one, makes two wait for different reasons, and blocks one for good', () => {
    const output = played.find(({ command }) => command.includes('decisions'))!.output;
    for (const kind of ['APPROVE', 'HOLD_FOR_REPUTATION', 'HOLD_FOR_REPLY_RISK', 'BLOCK']) {
      expect(output).toMatch(new RegExp(`\\b${kind}\\b`));
    }
  });
});
