import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** Where the data directory is, or will be made: itself, or the nearest of its parents that exists. */
export async function nearestDirectory(dataDir: string): Promise<string> {
  for (let path = resolve(dataDir); ; path = dirname(path)) {
    try {
      if ((await stat(path)).isDirectory()) return path;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
      continue;
    }
    throw new Error(`\`${path}\` is a file and not a directory`);
  }
}
