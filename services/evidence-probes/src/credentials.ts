import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';

/** A file of secrets that cannot be used. Names the file and the place in it, and repeats nothing that stands there. */
export class CredentialFault extends Error {}

/** Keeps the lock until this has settled. */
export type Hold = (until: Promise<unknown>) => void;

/** Longer than any work of a look, and than an exchange that is not cut off. */
const LOCK_MS_MAX = 60_000;

/**
 * Secrets by reference: JSON files below one folder, named by ids. Each is read when it is asked for, so that what is rotated
 * is used from the next look on. Nothing of them is logged or published.
 */
export class Credentials {
  readonly #folder: string | null;
  readonly #busy = new Set<Promise<void>>();

  private constructor(folder: string | null) {
    this.#folder = folder;
  }

  /** Throws CredentialFault when there is no such folder; null where nobody keeps secrets. */
  static async in(folder: string | null): Promise<Credentials> {
    const found = folder === null ? null : await stat(folder).catch(() => null);
    if (folder !== null && !found?.isDirectory()) {
      throw new CredentialFault(`CREDENTIALS_DIR: there is no folder \`${folder}\``);
    }
    return new Credentials(folder);
  }

  /** Null where there is no such file. Throws CredentialFault. */
  async read<T>(path: readonly string[], schema: z.ZodType<T>): Promise<T | null> {
    if (this.#folder === null) return null;
    const name = `${path.join('/')}.json`;
    const text = await this.#textOf(name);
    if (text === null) return null;
    const parsed = schema.safeParse(jsonOf(name, text));
    if (parsed.success) return parsed.data;
    const places = parsed.error.issues.map((issue) => issue.path.join('.') || 'the whole file');
    throw new CredentialFault(`${name}: not as it should be: ${[...new Set(places)].slice(0, 5).join(', ')}`);
  }

  /** Puts another in the place of one that was used up, as a whole or not at all. Throws CredentialFault. */
  async replace(path: readonly string[], value: unknown): Promise<void> {
    const name = `${path.join('/')}.json`;
    const file = join(this.#folder ?? '', name);
    const next = `${file}.${randomUUID()}`;
    try {
      await writeFile(next, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
      await rename(next, file);
    } catch (error) {
      await rm(next, { force: true });
      throw new CredentialFault(`${name}: cannot be replaced, ${codeOf(error)}`);
    }
  }

  /**
   * Does this while nobody else who shares the folder does it for the same file; null when somebody is at it. What the
   * work begins and does not wait for it may hold the lock until. Throws CredentialFault when nothing can be written
   * beside the file. A lock that was left behind counts for a minute.
   */
  async alone<T>(path: readonly string[], work: (hold: Hold) => Promise<T>): Promise<T | null> {
    const name = `${path.join('/')}.lock`;
    const lock = join(this.#folder ?? '', name);
    const id = randomUUID();
    if (!(await isTaken(name, lock, id))) return null;
    const held: Promise<unknown>[] = [];
    const working = work((until) => void held.push(until));
    const freed = working
      .catch(() => {})
      .then(() => Promise.allSettled(held))
      .then(() => free(lock, id));
    this.#busy.add(freed);
    void freed.then(() => this.#busy.delete(freed));
    const result = await working;
    // Who waits for nothing more finds the lock gone.
    if (held.length === 0) await freed;
    return result;
  }

  /** When no lock is held any more. */
  async idle(): Promise<void> {
    await Promise.all(this.#busy);
  }

  async #textOf(name: string): Promise<string | null> {
    try {
      return await readFile(join(this.#folder!, name), 'utf8');
    } catch (error) {
      const code = codeOf(error);
      if (code === 'ENOENT' || code === 'ENOTDIR') return null;
      throw new CredentialFault(`${name}: cannot be read, ${code}`);
    }
  }
}

async function isTaken(name: string, lock: string, id: string): Promise<boolean> {
  await removeStale(lock);
  try {
    await writeFile(lock, id, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw new CredentialFault(`${name}: cannot be written, ${codeOf(error)}`);
  }
}

/** Moved aside first: of several that find it stale one succeeds, and a fresh one that was moved by mistake goes back. */
async function removeStale(lock: string): Promise<void> {
  if (!(await isStale(lock))) return;
  const aside = `${lock}.${randomUUID()}`;
  await rename(lock, aside).catch(() => {});
  if (await isStale(aside)) await rm(aside, { force: true });
  else await rename(aside, lock).catch(() => {});
}

async function isStale(lock: string): Promise<boolean> {
  const left = await stat(lock).catch(() => null);
  return left !== null && Date.now() - left.mtimeMs > LOCK_MS_MAX;
}

async function free(lock: string, id: string): Promise<void> {
  const holder = await readFile(lock, 'utf8').catch(() => null);
  if (holder === id) await rm(lock, { force: true });
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'for an unknown reason';

function jsonOf(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The engine's own message quotes what stands there.
    throw new CredentialFault(`${name}: not JSON`);
  }
}
