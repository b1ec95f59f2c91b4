/**
 * Finds a nats-server that is new enough, or fetches one into `.orchestrate/bin`.
 * Plain JavaScript without dependencies: the bootstrap runs it before anything is installed.
 *
 * Order: NATS_SERVER_BIN, ORCHESTRATE_NATS_SERVER, PATH, `.orchestrate/bin`, the GitHub release, the Debian archive.
 */
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { arch, platform, userInfo } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { promisify } from 'node:util';

export const MINIMUM_VERSION = '2.12.0';
const RELEASE_VERSION = '2.15.1';
const CONNECT_MS_MAX = 4_000;
const DOWNLOAD_MS_MAX = 180_000;

const run = promisify(execFile);

/** Looks at the environment, PATH and the cache only. Throws when NATS_SERVER_BIN is set and cannot be used. */
export function findNatsServer(root, env = process.env) {
  return look(root, env, []);
}

export async function ensureNatsServer({ root, log = () => {}, env = process.env }) {
  const tried = [];
  const found = look(root, env, tried);
  if (found) return found;

  const target = cachedBinary(root);
  mkdirSync(binDirectory(root), { recursive: true });
  for (const [name, fetchInto] of [
    ['GitHub release', fetchRelease],
    ['Debian archive', fetchFromDebian],
  ]) {
    const scratch = mkdtempSync(join(binDirectory(root), 'fetch-'));
    try {
      const binary = await fetchInto(scratch, log);
      chmodSync(binary, 0o755);
      assertRecent(askVersion(binary));
      renameSync(binary, target);
      remember(root, target);
      log(`nats-server ${versionOfNatsServer(root, target)} is ready (${name})`);
      return target;
    } catch (error) {
      tried.push(`${name}: ${reasonOf(error)}`);
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  }
  throw new Error(
    [
      `no nats-server ${MINIMUM_VERSION} or newer could be found or fetched; these ways were tried:`,
      ...tried.map((line) => `  - ${line}`),
      `to install it by hand, take the archive for ${platform()} ${arch()} from https://github.com/nats-io/nats-server/releases`,
      `(or \`brew install nats-server\`) and put nats-server on your PATH, or name it: NATS_SERVER_BIN=/path/to/nats-server`,
    ].join('\n'),
  );
}

// ---- what is already there ----

function look(root, env, tried) {
  if (env.NATS_SERVER_BIN) {
    const problem = problemWith(root, resolve(env.NATS_SERVER_BIN));
    if (!problem) return resolve(env.NATS_SERVER_BIN);
    throw new Error(
      `NATS_SERVER_BIN names \`${env.NATS_SERVER_BIN}\`, which cannot be used (${problem}): correct it or unset it`,
    );
  }
  tried.push('NATS_SERVER_BIN: not set');

  const named = env.ORCHESTRATE_NATS_SERVER;
  const onPath = (env.PATH ?? '')
    .split(delimiter)
    .filter(Boolean)
    .map((directory) => resolve(directory, 'nats-server'))
    .filter((path) => existsSync(path));
  const candidates = [
    ...(named ? [['ORCHESTRATE_NATS_SERVER', resolve(named)]] : []),
    ...onPath.map((path) => ['PATH', path]),
    ['cache', cachedBinary(root)],
  ];
  for (const [way, path] of candidates) {
    const problem = problemWith(root, path);
    if (!problem) return path;
    tried.push(`${way}: \`${path}\`: ${problem}`);
  }
  if (onPath.length === 0) tried.push('PATH: no nats-server on it');
  return null;
}

function problemWith(root, path) {
  if (!existsSync(path)) return 'not there';
  try {
    assertRecent(versionOfNatsServer(root, path));
    return null;
  } catch (error) {
    return reasonOf(error);
  }
}

function assertRecent(version) {
  const [have, want] = [version, MINIMUM_VERSION].map((text) => text.split('.').map(Number));
  const difference = want.map((part, index) => (have[index] ?? 0) - part).find((part) => part !== 0) ?? 0;
  if (difference < 0) throw new Error(`version ${version} is older than ${MINIMUM_VERSION}`);
}

function askVersion(path) {
  const answer = execFileSync(path, ['--version'], { encoding: 'utf8', timeout: 10_000 });
  const version = /v(\d+\.\d+\.\d+)/.exec(answer)?.[1];
  if (!version) throw new Error(`\`--version\` answered \`${answer.split('\n')[0]}\``);
  return version;
}

/** Answers are remembered by path and modification time, so a warm start spawns nothing. */
export function versionOfNatsServer(root, path) {
  const known = readAnswers(root)[path];
  return known?.mtimeMs === statSync(path).mtimeMs ? known.version : remember(root, path);
}

function remember(root, path) {
  const version = askVersion(path);
  const answers = { ...readAnswers(root), [path]: { version, mtimeMs: statSync(path).mtimeMs } };
  try {
    mkdirSync(binDirectory(root), { recursive: true });
    const draft = `${answersFile(root)}.${process.pid}`;
    writeFileSync(draft, `${JSON.stringify(answers, null, 2)}\n`);
    renameSync(draft, answersFile(root));
  } catch {
    // a read-only checkout only loses the shortcut
  }
  return version;
}

function readAnswers(root) {
  try {
    return JSON.parse(readFileSync(answersFile(root), 'utf8'));
  } catch {
    return {};
  }
}

const binDirectory = (root) => join(resolve(root), '.orchestrate', 'bin');
const cachedBinary = (root) => join(binDirectory(root), 'nats-server');
const answersFile = (root) => join(binDirectory(root), 'nats-server.json');

// ---- GitHub release ----

async function fetchRelease(scratch, log) {
  const cpu = { x64: 'amd64', arm64: 'arm64' }[arch()];
  if (!cpu || !['linux', 'darwin'].includes(platform()))
    throw new Error(`no release for ${platform()} ${arch()}`);
  const archive = `nats-server-v${RELEASE_VERSION}-${platform()}-${cpu}.tar.gz`;
  const base = `https://github.com/nats-io/nats-server/releases/download/v${RELEASE_VERSION}`;
  log(`fetching nats-server ${RELEASE_VERSION} from its GitHub release`);

  const sums = (await download(`${base}/SHA256SUMS`)).toString('utf8');
  const published = sums
    .split('\n')
    .map((line) => line.trim().split(/\s+\*?/))
    .find(([, file]) => file === archive)?.[0];
  if (!published) throw new Error(`SHA256SUMS of v${RELEASE_VERSION} does not list ${archive}`);

  const bytes = await download(`${base}/${archive}`);
  const actual = createHash('sha256').update(bytes).digest('hex');
  if (actual !== published.toLowerCase()) {
    throw new Error(
      `${archive} has SHA-256 ${actual}, published is ${published}: the download was thrown away`,
    );
  }
  writeFileSync(join(scratch, archive), bytes);
  await run('tar', ['-xzf', join(scratch, archive), '-C', scratch, '--strip-components=1']);
  return join(scratch, 'nats-server');
}

/** Two clocks: the answer must begin soon (no route, a silent firewall), the body may take its time. */
async function download(url) {
  const abort = new AbortController();
  let timer = setTimeout(
    () => abort.abort(new Error(`no answer within ${CONNECT_MS_MAX / 1000} s`)),
    CONNECT_MS_MAX,
  );
  try {
    const response = await fetch(url, { signal: abort.signal });
    clearTimeout(timer);
    if (!response.ok) throw new Error(`${url} answered ${response.status}`);
    timer = setTimeout(
      () => abort.abort(new Error(`${url} took longer than ${DOWNLOAD_MS_MAX / 1000} s`)),
      DOWNLOAD_MS_MAX,
    );
    return Buffer.from(await response.arrayBuffer());
  } finally {
    clearTimeout(timer);
  }
}

// ---- Debian archive ----

const DEBIAN_SUITE = 'forky';
const DEBIAN_KEYRINGS = ['gpg', 'pgp'].map(
  (ending) => `/usr/share/keyrings/debian-archive-keyring.${ending}`,
);

/**
 * apt with a private state directory: needs no root, installs nothing system-wide, and checks the archive's
 * signature against the machine's own Debian keyring. The mirror is the one that the machine already uses.
 */
async function fetchFromDebian(scratch, log) {
  if (platform() !== 'linux') throw new Error('only on Debian and its derivatives');
  const keyring = DEBIAN_KEYRINGS.find((path) => existsSync(path));
  if (!keyring) throw new Error('the Debian archive keyring is not installed');
  const mirror = debianMirror(readAptSources());
  if (!mirror) throw new Error('apt knows no Debian archive');
  const { stdout: cpu } = await run('dpkg', ['--print-architecture']);

  for (const directory of ['state/lists/partial', 'cache/archives/partial', 'etc', 'package']) {
    mkdirSync(join(scratch, directory), { recursive: true });
  }
  writeFileSync(join(scratch, 'etc/preferences'), '');
  writeFileSync(
    join(scratch, 'etc/sources.list'),
    `deb [arch=${cpu.trim()} signed-by=${keyring}] ${mirror} ${DEBIAN_SUITE} main\n`,
  );
  const options = [
    `Dir::State=${scratch}/state`,
    `Dir::State::lists=${scratch}/state/lists`,
    'Dir::State::status=/dev/null',
    `Dir::Cache=${scratch}/cache`,
    `Dir::Etc::sourcelist=${scratch}/etc/sources.list`,
    'Dir::Etc::sourceparts=/dev/null',
    `Dir::Etc::preferences=${scratch}/etc/preferences`,
    'Dir::Etc::preferencesparts=/dev/null',
    'APT::Default-Release=',
    'Acquire::Languages=none',
    'Acquire::Retries=1',
    'Acquire::http::Timeout=20',
    'Acquire::https::Timeout=20',
    `APT::Sandbox::User=${userInfo().username}`,
  ].map((option) => `-o${option}`);
  const inScratch = {
    cwd: scratch,
    timeout: DOWNLOAD_MS_MAX,
    env: { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
  };

  log(`fetching nats-server from Debian ${DEBIAN_SUITE}`);
  await run('apt-get', [...options, 'update', '--error-on=any'], inScratch);
  await run('apt-get', [...options, 'download', 'nats-server'], inScratch);
  const deb = readdirSync(scratch).find((file) => file.endsWith('.deb'));
  if (!deb) throw new Error('apt downloaded no package');
  await run('dpkg-deb', ['-x', deb, 'package'], inScratch);
  const binary = ['usr/bin/nats-server', 'usr/sbin/nats-server']
    .map((path) => join(scratch, 'package', path))
    .find((path) => existsSync(path));
  if (!binary) throw new Error(`${deb} holds no nats-server`);
  return binary;
}

/**
 * The first URI of a Debian archive in the text of apt sources, in one-line or deb822 form.
 * By convention an archive's path ends in `/debian`; security archives and other people's repositories do not.
 */
export function debianMirror(sources) {
  return (
    sources
      .split('\n')
      .filter((line) => !line.trim().startsWith('#'))
      .flatMap(
        (line) =>
          /^\s*(?:deb(?:-src)?\s+(?:\[[^\]]*\]\s*)?|URIs:\s*)(.*)$/i.exec(line)?.[1]?.split(/\s+/) ?? [],
      )
      .find((word) => /^[a-z+]+:\/\/?.*\/debian(?:\.list)?\/?$/i.test(word)) ?? null
  );
}

function readAptSources() {
  const directory = '/etc/apt/sources.list.d';
  const parts = existsSync(directory)
    ? readdirSync(directory).filter((file) => /\.(list|sources)$/.test(file))
    : [];
  return ['/etc/apt/sources.list', ...parts.sort().map((file) => join(directory, file))]
    .filter((path) => existsSync(path))
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');
}

/** The shortest honest account of a failure: a command's own last words, else the innermost cause. */
function reasonOf(error) {
  if (error.killed) return `${error.path ?? 'the command'} took too long`;
  if (error.code === 'ENOENT' && error.path) return `\`${error.path}\` is not there`;
  const lastWords = error.stderr?.toString().trim().split('\n').slice(-2).join(' ');
  return lastWords || error.cause?.message || error.message;
}
