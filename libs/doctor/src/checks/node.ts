import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, type Judgement, ok } from '../finding.ts';
import type { Surroundings } from '../surroundings.ts';

const MAJOR_MIN = 26;

export interface NodeFound {
  readonly version: string;
  readonly path: string;
  /** What `.node-version` says, or null where there is none. */
  readonly pinned: string | null;
}

export function judgeNode({ version, path, pinned }: NodeFound): Judgement {
  const data = { version, path, pinned };
  const found = `Node ${version} at ${path}`;
  if (Number.parseInt(version, 10) < MAJOR_MIN) {
    return fail(
      `${found} is older than ${MAJOR_MIN}, which runs TypeScript as it is`,
      `start everything through npm, which brings Node ${pinned ?? MAJOR_MIN}: \`npm start\`, \`npm run orchestrate -- doctor\``,
      data,
    );
  }
  return ok(pinned === null || pinned === version ? found : `${found}; ${pinned} is the pinned one`, data);
}

export async function checkNode({ root }: Surroundings): Promise<Judgement> {
  const pinned = await readFile(join(root, '.node-version'), 'utf8').catch(() => null);
  return judgeNode({
    version: process.versions.node,
    path: process.execPath,
    pinned: pinned?.trim() ?? null,
  });
}
