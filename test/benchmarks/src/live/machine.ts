import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { ensureNatsServer, versionOfNatsServer } from '@orchestrate/embedded';
import { ROOT } from './service-process.ts';

/** What a figure belongs to: the day, the machine, what runs on it, and whether somebody else was at work. */
export async function machineLine(): Promise<string> {
  const binary = await ensureNatsServer({ root: ROOT, log: (line) => process.stderr.write(`${line}\n`) });
  const told = [
    new Date().toISOString().slice(0, 10),
    `${availableParallelism()} cores (${cpus()[0]?.model.trim() ?? 'unknown'})`,
    `${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
    process.platform,
    `Node ${process.version}`,
    `nats-server ${versionOfNatsServer(ROOT, binary)}`,
    `load ${loadavg()[0]!.toFixed(1)} before it began`,
  ];
  return `${told.join(', ')}\n`;
}
