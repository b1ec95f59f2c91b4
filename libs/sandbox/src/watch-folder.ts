import { type FSWatcher, readdirSync, statSync, watch } from 'node:fs';
import { join } from 'node:path';

/** One save is several events: what is told of within this time is one change. */
const SETTLE_MS = 50;
const LOOK_MS = 1_000;

/**
 * Calls back when something in a folder may have changed, until it is disposed of.
 * The notices of the system come fast and not always: they are lost when too many come at once, when the folder is
 * replaced, on file systems of other machines, and when there are no watches left. So the times and sizes of the
 * files are compared every second too.
 */
export function watchFolder(path: string, onChange: () => void): Disposable {
  let known = fingerprintOf(path);
  let settling: NodeJS.Timeout | undefined;
  const tell = () => {
    clearTimeout(settling);
    known = fingerprintOf(path);
    onChange();
  };
  const looking = setInterval(() => {
    if (fingerprintOf(path) !== known) tell();
  }, LOOK_MS);
  const watcher = tryWatch(path, () => {
    clearTimeout(settling);
    settling = setTimeout(tell, SETTLE_MS);
  });
  return {
    [Symbol.dispose]() {
      watcher?.close();
      clearInterval(looking);
      clearTimeout(settling);
    },
  };
}

function tryWatch(path: string, onEvent: () => void): FSWatcher | undefined {
  try {
    // what it can no longer watch is found by looking
    return watch(path, onEvent).on('error', () => undefined);
  } catch {
    return undefined;
  }
}

function fingerprintOf(path: string): string {
  try {
    const names = readdirSync(path).sort();
    return names.map((name) => `${name} ${stampOf(join(path, name))}`).join('\n');
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

function stampOf(file: string): string {
  const stats = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stats ? `${stats.ino} ${stats.size} ${stats.mtimeNs} ${stats.mode}` : 'gone';
}
