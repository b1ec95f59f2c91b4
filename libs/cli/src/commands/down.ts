import { setTimeout as sleep } from 'node:timers/promises';
import { isSameProcess, readRunFile } from '@orchestrate/embedded';
import { Command } from 'commander';
import { globalOptions } from '../connect.ts';
import { printLine } from '../print.ts';

const STOP_MS_MAX = 30_000;

export function downCommand(): Command {
  return new Command('down')
    .description('stop the platform on this machine')
    .addHelpText('after', '\nExample:\n  orchestrate down')
    .action(async (_options: object, command: Command) => {
      const { dataDir } = globalOptions(command);
      const run = readRunFile(dataDir);
      if (!run || !isSameProcess(run)) {
        printLine(`no platform runs in ${dataDir}`);
        return;
      }
      process.kill(run.pid, 'SIGTERM');
      const deadline = Date.now() + STOP_MS_MAX;
      while (isSameProcess(run) && Date.now() < deadline) await sleep(50);
      if (isSameProcess(run)) throw new Error(`process ${run.pid} did not stop within 30 s: look at its log`);
      printLine('down');
    });
}
