import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * A pid alone is reused sooner or later; together with the start time it names one process.
 * `startTime` is opaque: clock ticks since boot on Linux (field 22 of /proc/<pid>/stat), else what `ps` prints.
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTime: string;
}

/** Null when there is no such process, or only its unreaped remains. */
export function identify(pid: number): ProcessIdentity | null {
  const startTime = process.platform === 'linux' ? startTimeFromProc(pid) : startTimeFromPs(pid);
  return startTime === null ? null : { pid, startTime };
}

export function ownIdentity(): ProcessIdentity {
  const own = identify(process.pid);
  if (!own) throw new Error(`the start time of this process (pid ${process.pid}) cannot be read`);
  return own;
}

export function isSameProcess(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.startTime === identity.startTime;
}

/** The arguments of a running process; on systems without /proc one string, as `ps` prints it. */
export function commandLine(pid: number): readonly string[] {
  try {
    return process.platform === 'linux'
      ? readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean)
      : [askPs(pid, 'command=')];
  } catch {
    return [];
  }
}

function startTimeFromProc(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // field 2 is the command in parentheses and may hold spaces; field 3, the state, follows the last one
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}

function startTimeFromPs(pid: number): string | null {
  try {
    return askPs(pid, 'stat=').startsWith('Z') ? null : askPs(pid, 'lstart=') || null;
  } catch {
    return null;
  }
}

function askPs(pid: number, column: string): string {
  const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' };
  return execFileSync('ps', ['-ww', '-o', column, '-p', String(pid)], {
    encoding: 'utf8',
    env,
    stdio: 'pipe',
  }).trim();
}
