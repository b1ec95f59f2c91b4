import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { isSameProcess, ownIdentity, type ProcessIdentity } from './process-identity.ts';

const holderSchema = z.object({ pid: z.int().positive(), startTime: z.string() });
const CLAIM_MS_MAX = 5_000;

export class AlreadyRunning extends Error {
  readonly code = 'already_running';
  readonly holder: ProcessIdentity;
  constructor(dataDir: string, holder: ProcessIdentity) {
    super(`the platform is already running on \`${dataDir}\` (pid ${holder.pid}): stop it first, or use it`);
    this.name = 'AlreadyRunning';
    this.holder = holder;
  }
}

export interface RunLock {
  release(): void;
}

/**
 * Takes `<dataDir>/lock` for this process, or throws `AlreadyRunning`.
 *
 * The lock appears with its content, by a hard link. A stale one is replaced by whoever first creates a claim
 * file named after the dead holder: nobody else may replace that holder, so a rename over the lock cannot hit
 * a lock that was taken meanwhile.
 */
export function takeRunLock(dataDir: string): RunLock {
  mkdirSync(dataDir, { recursive: true });
  const lock = join(dataDir, 'lock');
  const draft = `${lock}.${process.pid}.${crypto.randomUUID()}`;
  const own = ownIdentity();
  writeFileSync(draft, JSON.stringify(own));
  try {
    while (!tryLink(draft, lock)) {
      const holder = readHolder(lock);
      if (holder === 'absent') continue;
      if (holder && isSameProcess(holder)) throw new AlreadyRunning(dataDir, holder);
      if (replaceStale(draft, lock, holder)) break;
    }
  } finally {
    rmSync(draft, { force: true });
  }
  return {
    release() {
      const holder = readHolder(lock);
      if (isHolder(holder) && holder.pid === own.pid && holder.startTime === own.startTime) rmSync(lock);
    },
  };
}

/** The living process that holds the data directory, or null. */
export function runLockHolder(dataDir: string): ProcessIdentity | null {
  const holder = readHolder(join(dataDir, 'lock'));
  return isHolder(holder) && isSameProcess(holder) ? holder : null;
}

type Holder = ProcessIdentity | null | 'absent';

const isHolder = (holder: Holder): holder is ProcessIdentity => holder !== null && holder !== 'absent';

/** Null stands for a file that does not say who holds it, which our writers never leave behind. */
function readHolder(lock: string): Holder {
  let text: string;
  try {
    text = readFileSync(lock, 'utf8');
  } catch {
    return 'absent';
  }
  try {
    return holderSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

function replaceStale(draft: string, lock: string, stale: ProcessIdentity | null): boolean {
  const claim = `${lock}.claim-${stale ? `${stale.pid}-${stale.startTime.replace(/\W/g, '')}` : 'unreadable'}`;
  if (!tryLink(draft, claim)) {
    forgetAbandonedClaim(claim);
    return false;
  }
  try {
    const now = readHolder(lock);
    if (now === 'absent' || now?.pid !== stale?.pid || now?.startTime !== stale?.startTime) return false;
    renameSync(draft, lock);
    return true;
  } finally {
    rmSync(claim, { force: true });
  }
}

/** A claim lives for microseconds, unless its owner died in between. */
function forgetAbandonedClaim(claim: string): void {
  const ageMs = Date.now() - (statSync(claim, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
  if (ageMs > CLAIM_MS_MAX) rmSync(claim, { force: true });
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
