import { readFileSync } from 'node:fs';

const TICKS_PER_SEC = 100;

/** Resident memory of a process now, and the most it ever was. */
export function memoryOf(pid: number): { readonly rssKiB: number; readonly peakKiB: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]);
  return { rssKiB: kib('VmRSS'), peakKiB: kib('VmHWM') };
}

/** Processor time of a process so far, in user and kernel mode, ms. */
export function cpuMsOf(pid: number): number {
  return cpuMsIn(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}

/** The name of the program stands in parentheses and may hold anything; what counts comes after it. */
export function cpuMsIn(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SEC;
}
