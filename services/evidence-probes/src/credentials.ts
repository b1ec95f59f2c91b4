import { randomUUID } from 'node:crypto';
import { open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';

/** A file of secrets that cannot be used. Names the file and the place in it, and repeats nothing that stands there. */
export class CredentialFault extends Error {}

/** Longer than any work of a look. */
const LOCK_MS_MAX = 60_000;

/**
 * Secrets by reference: JSON files below one folder, named by ids, that are read anew for each look, so that what is
 * rotated is used from then on. Nothing of them is kept, logged or published.
 */
export class Credentials {
  readonly #folder: string | null;

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
   * Does this while nobody else who shares the folder does it for the same file; null when somebody is at it. Throws
   * CredentialFault when nothing can be written beside the file. A lock that was left behind counts for a minute.
   */
  async alone<T>(path: readonly string[], work: () => Promise<T>): Promise<T | null> {
    const name = `${path.join('/')}.lock`;
    const lock = join(this.#folder ?? '', name);
    if (!(await this.#isTaken(name, lock))) return null;
    try {
      return await work();
    } finally {
      await rm(lock, { force: true });
    }
  }

  async #isTaken(name: string, lock: string): Promise<boolean> {
    const left = await stat(lock).catch(() => null);
    if (left && Date.now() - left.mtimeMs > LOCK_MS_MAX) await rm(lock, { force: true });
    try {
      await (await open(lock, 'wx', 0o600)).close();
      return true;
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false;
      throw new CredentialFault(`${name}: cannot be written, ${codeOf(error)}`);
    }
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

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'for an unknown reason';

function jsonOf(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The engine's own message quotes what stands there.
    throw new CredentialFault(`${name}: not JSON`);
  }
}
