#!/usr/bin/env node
// Plain JavaScript: npx puts the pinned Node first, but in a fresh clone there is none yet, and whoever calls this file
// by another way may have an older one. The bootstrap then brings what is missing.
import { spawn } from 'node:child_process';
import module from 'node:module';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR_MIN = 26;
const inRepository = (path) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

if (Number.parseInt(process.versions.node, 10) >= NODE_MAJOR_MIN) {
  // What was compiled once is kept for the next start.
  module.enableCompileCache(inRepository('.orchestrate/cache/compile'));
  await import('../src/main.ts');
} else {
  const bootstrap = [inRepository('scripts/bootstrap.mjs'), 'cli', ...process.argv.slice(2)];
  const child = spawn(process.execPath, bootstrap, { stdio: 'inherit' });
  // A terminal sends ^C to all of us, and once is enough; what the child makes of it is what counts.
  const hasTerminal = [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY);
  process.on('SIGINT', () => hasTerminal || child.kill('SIGINT'));
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.once('exit', (code) => process.exit(code ?? 1));
}
