import { setTimeout as sleep } from 'node:timers/promises';
import { isSameProcess, readRunFile } from '@orchestrate/embedded';
import { Command } from 'commander';
import { withExample } from '../arguments.ts';
import { globalOptions } from '../connect.ts';
import { Failure } from '../failure.ts';
import { OUTPUTS } from '../outputs.ts';
import { printJson, printLine } from '../print.ts';

const STOP_MS_MAX = 30_000;

export function downCommand(): Command {
  const command = new Command('down')
    .description('stop the platform on this machine; what it stored stays')
    .action(down);
  return withExample(command, 'down');
}

async function down(_options: object, command: Command): Promise<void> {
  const { dataDir, json } = globalOptions(command);
  const run = readRunFile(dataDir);
  const isUp = run !== null && isSameProcess(run);
  if (isUp) {
    process.kill(run.pid, 'SIGTERM');
    const deadline = Date.now() + STOP_MS_MAX;
    while (isSameProcess(run) && Date.now() < deadline) await sleep(50);
    if (isSameProcess(run)) {
      throw new Failure(
        'failed',
        `process ${run.pid} did not stop within ${STOP_MS_MAX / 1000} s: its log says what it waits for`,
      );
    }
  }
  if (json) printJson(OUTPUTS.down, { up: false, stopped: isUp });
  else printLine(isUp ? 'down' : `no platform runs in ${dataDir}`);
}
