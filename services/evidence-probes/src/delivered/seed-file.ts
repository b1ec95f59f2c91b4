import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { MESSAGE_OCTETS_MAX } from './read-message.ts';
import { type DeliveryQuestion, type MessageProof, verifyMessage } from './verify-message.ts';

export interface SeedFileQuestion extends DeliveryQuestion {
  /** Of a message in the format of RFC 5322, as mail programs save it (`.eml`). */
  readonly path: string;
}

/**
 * The delivered proof from a saved message. A file does not tell reliably who delivered it: without `origin`
 * only its signatures can align, and SPF stays unknown.
 */
export async function verifySeedFile({ path, ...question }: SeedFileQuestion): Promise<MessageProof> {
  let raw: Buffer | undefined;
  try {
    // a pipe without a writer would hold an ordinary open forever
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    raw = await readBounded(file);
  } catch {
    raw = undefined;
  }
  return raw === undefined
    ? { kind: 'refused', reason: 'unreadable' }
    : await verifyMessage({ ...question, raw });
}

/** One octet over the limit is read, by which a file that is too large shows. */
async function readBounded(file: FileHandle): Promise<Buffer | undefined> {
  const about = await file.stat();
  if (!about.isFile()) return undefined;
  return await buffer(file.createReadStream({ start: 0, end: MESSAGE_OCTETS_MAX, autoClose: false }));
}
