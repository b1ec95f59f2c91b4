import { isSameProcess, readRunFile } from '@orchestrate/embedded';
import { Command } from 'commander';
import { withExample } from '../arguments.ts';
import { globalOptions, noPlatform } from '../connect.ts';
import { EXIT } from '../exit-codes.ts';
import { OUTPUTS } from '../outputs.ts';
import { colours, printJson, printLine, printTable } from '../print.ts';

interface ServiceLine {
  readonly instance: string;
  readonly pid: number | null;
  /** Where Prometheus reads its figures, null before it is ready. */
  readonly metricsUrl: string | null;
  readonly ok: boolean;
  readonly detail: Record<string, unknown>;
}

export function statusCommand(): Command {
  const command = new Command('status')
    .description('which services run on this machine and how they are; exit code 1 when one is not well')
    .action(status);
  return withExample(command, 'status', 'status --json');
}

async function status(_options: object, command: Command): Promise<void> {
  const { dataDir, json } = globalOptions(command);
  const run = readRunFile(dataDir);
  if (!run || !isSameProcess(run)) throw noPlatform(dataDir);
  const services = await Promise.all(
    run.services.map(async ({ instance, pid, healthPort }) => ({
      instance,
      pid,
      metricsUrl: healthPort === null ? null : addressOf(healthPort, 'metrics'),
      ...(await healthOf(healthPort)),
    })),
  );
  if (!services.every((service) => service.ok)) process.exitCode = EXIT.failed;
  if (json) {
    const { startedAt } = run;
    printJson(OUTPUTS.status, { up: true, natsUrl: run.nats.url, startedAt, services });
    return;
  }
  printLine(`nats-server ${run.nats.url} (pid ${run.nats.pid}), up since ${run.startedAt}`);
  printTable(['SERVICE', 'PID', 'HEALTH', 'PORT', 'DETAIL'], services.map(row));
}

function row({ instance, pid, metricsUrl, ok, detail }: ServiceLine): string[] {
  const health = !ok
    ? colours.red('✗ not ok')
    : isBehind(detail)
      ? colours.yellow('! behind')
      : colours.green('✓ ok');
  const facts = Object.entries(detail)
    .filter(([, value]) => value !== null && (!Array.isArray(value) || value.length > 0))
    .map(([key, value]) => `${key} ${shown(value)}`);
  const port = metricsUrl === null ? '-' : new URL(metricsUrl).port;
  return [instance, String(pid ?? '-'), health, port, facts.join(', ')];
}

const addressOf = (port: number, page: string) => `http://127.0.0.1:${port}/${page}`;

/** It owns partitions that it has not read up to date yet: for a moment after a start, else see the doctor. */
function isBehind({ owned, caughtUp }: Record<string, unknown>): boolean {
  return typeof owned === 'number' && typeof caughtUp === 'number' && caughtUp < owned;
}

const DIGEST = /^[0-9a-f]{64}$/;

function shown(value: unknown): string {
  if (Array.isArray(value)) return value.join('; ');
  const text = String(value);
  return DIGEST.test(text) ? text.slice(0, 12) : text;
}

async function healthOf(port: number | null): Promise<{ ok: boolean; detail: Record<string, unknown> }> {
  if (port === null) return { ok: false, detail: { problem: 'not ready' } };
  try {
    const answer = await fetch(addressOf(port, 'healthz'), { signal: AbortSignal.timeout(2_000) });
    const {
      ok: _ok,
      service: _service,
      instance: _instance,
      life: _life,
      ...detail
    } = (await answer.json()) as Record<string, unknown>;
    return { ok: answer.ok, detail };
  } catch (error) {
    return { ok: false, detail: { problem: (error as Error).message } };
  }
}
