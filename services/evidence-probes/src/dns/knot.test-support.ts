import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Where Debian's package `knot` puts it; there is none on machines without the package. */
const KNOTD = '/usr/sbin/knotd';

/** Says so on the console where it is not. */
export function isKnotInstalled(): boolean {
  const isInstalled = existsSync(KNOTD);
  if (!isInstalled) console.warn(`skipped: ${KNOTD} is not here; Debian has it in the package knot`);
  return isInstalled;
}

export interface KnotServer extends AsyncDisposable {
  /** `127.0.0.1:PORT`, as a resolver takes it. */
  readonly address: string;
}

const PORT_TRIES = 10;
const LOOK_AGAIN_MS = 50;

/**
 * A Knot DNS server on a free port of loopback, with these zones by origin; each gets an SOA record by which a no may be
 * kept for 60 s, and records without a TTL have 300 s. It is authoritative only and refuses every name outside them.
 */
export async function startKnot(zones: Readonly<Record<string, string>>): Promise<KnotServer> {
  for (let tries = 1; ; tries++) {
    const dir = mkdtempSync(join(tmpdir(), 'knot-'));
    const port = await freePort();
    writeConfig(dir, port, zones);
    const knot = spawn(KNOTD, ['-c', join(dir, 'knot.conf')], { stdio: ['ignore', 'ignore', 'pipe'] });
    const complaints: string[] = [];
    knot.stderr.on('data', (chunk: Buffer) => complaints.push(chunk.toString()));
    const stop = () => stopKnot(knot, dir);
    if (await answers(knot, port, Object.keys(zones))) {
      return { address: `127.0.0.1:${port}`, [Symbol.asyncDispose]: stop };
    }
    await stop();
    // somebody else may have taken the port meanwhile
    if (tries === PORT_TRIES) throw new Error(`knotd does not start: ${complaints.join('')}`);
  }
}

async function stopKnot(knot: ChildProcess, dir: string): Promise<void> {
  if (knot.exitCode === null && knot.signalCode === null) {
    knot.kill('SIGTERM');
    await once(knot, 'exit');
  }
  rmSync(dir, { recursive: true, force: true });
}

function writeConfig(dir: string, port: number, zones: Readonly<Record<string, string>>): void {
  for (const folder of ['run', 'database']) mkdirSync(join(dir, folder));
  for (const [origin, text] of Object.entries(zones))
    writeFileSync(join(dir, `${origin}.zone`), zoneFile(origin, text));
  const entries = Object.keys(zones).map((origin) => `  - domain: ${origin}.\n    file: ${origin}.zone\n`);
  const config = `
server:
  listen: 127.0.0.1@${port}
  rundir: ${dir}/run
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
log:
  - target: stderr
    any: error
database:
  storage: ${dir}/database
template:
  - id: default
    storage: ${dir}
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
zone:
${entries.join('')}`;
  writeFileSync(join(dir, 'knot.conf'), config);
}

function zoneFile(origin: string, text: string): string {
  const head = [
    `$ORIGIN ${origin}.`,
    '$TTL 300',
    `@ 300 IN SOA ns.${origin}. hostmaster.${origin}. 1 7200 3600 1209600 60`,
    `@ IN NS ns.${origin}.`,
    'ns IN A 127.0.0.1',
  ];
  return `${head.join('\n')}\n${text}\n`;
}

/** Whether it serves all of the zones; false when it has ended. */
async function answers(knot: ChildProcess, port: number, origins: readonly string[]): Promise<boolean> {
  const resolver = new Resolver({ timeout: 1_000, tries: 1 });
  resolver.setServers([`127.0.0.1:${port}`]);
  while (knot.exitCode === null && knot.signalCode === null) {
    try {
      await Promise.all(origins.map((origin) => resolver.resolveSoa(origin)));
      return true;
    } catch {
      await sleep(LOOK_AGAIN_MS);
    }
  }
  return false;
}

/** Free for UDP and TCP alike. */
async function freePort(): Promise<number> {
  for (;;) {
    const tcp = createServer().listen(0, '127.0.0.1');
    await once(tcp, 'listening');
    const { port } = tcp.address() as AddressInfo;
    const udp = createSocket('udp4');
    const isFree = await new Promise<boolean>((resolve) => {
      udp.once('error', () => resolve(false));
      udp.bind(port, '127.0.0.1', () => resolve(true));
    });
    udp.close();
    tcp.close();
    await once(tcp, 'close');
    if (isFree) return port;
  }
}
