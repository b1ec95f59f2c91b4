import { chmodSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReceivedMessage } from './smtp-server.ts';

const MAIL = /^(\d+)-.*\.eml$/;
const DRAFT = /^\.\d+-.*\.eml$/;
const DIGITS = 4;
const TOKEN_CHARACTERS_MAX = 64;

/**
 * A folder of received messages, one file each: `<nnnn>-<local part of the first recipient>.eml`, octet by octet as
 * it came. Messages hold addresses, so only the user may look into it.
 */
export class MailFolder {
  readonly #path: string;
  #next: number;

  /** Numbers go on after the highest that is there. What an earlier run left unfinished was never accepted. */
  constructor(path: string) {
    this.#path = path;
    mkdirSync(path, { recursive: true });
    chmodSync(path, 0o700);
    const names = readdirSync(path);
    for (const draft of names.filter((name) => DRAFT.test(name))) rmSync(join(path, draft));
    this.#next = 1 + names.reduce((highest, name) => Math.max(highest, Number(MAIL.exec(name)?.[1] ?? 0)), 0);
  }

  /** Appears with its content, and is there when this resolves. */
  async keep(message: ReceivedMessage): Promise<void> {
    const number = String(this.#next++).padStart(DIGITS, '0');
    const name = `${number}-${tokenOf(message.to[0] ?? '')}.eml`;
    const draft = join(this.#path, `.${name}`);
    try {
      await writeFile(draft, message.bytes, { mode: 0o600 });
      await rename(draft, join(this.#path, name));
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
  }
}

/** The local part as it may stand in a file name on any system. */
function tokenOf(recipient: string): string {
  const at = recipient.lastIndexOf('@');
  const local = at < 0 ? recipient : recipient.slice(0, at);
  const token = local.replace(/[^A-Za-z0-9._+=-]/g, '_').slice(0, TOKEN_CHARACTERS_MAX);
  return token === '' ? 'nobody' : token;
}
