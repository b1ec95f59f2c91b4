import { copyFileSync, existsSync, mkdirSync, renameSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type DnsServer, startDnsServer } from './dns-server.ts';
import { MailFolder } from './mail-folder.ts';
import { startSmtpServer } from './smtp-server.ts';
import { watchFolder } from './watch-folder.ts';
import {
  problemLine,
  readZoneFile,
  type SandboxProblem,
  unreadable,
  visibleNames,
  ZoneFolder,
  zoneFileNames,
} from './zone-folder.ts';

export interface SandboxOptions {
  /** A folder of zone files, `<zone>.zone` each. They are copied; the originals are only read. */
  readonly zonesFrom: string;
  /** `sandbox/zones` and `sandbox/mail` are made below it, and stay. One sandbox at a time. */
  readonly dataDir: string;
  /** Default: a free one. */
  readonly dnsPort?: number;
  /** Default: a free one. */
  readonly smtpPort?: number;
  /** A file can no longer be taken as it is; what was last good is still served. Each problem is told once. */
  readonly onProblem?: (problem: SandboxProblem) => void;
  /** Nothing is wrong any more with a file of which something was. */
  readonly onMended?: (file: string) => void;
}

export interface Sandbox extends AsyncDisposable {
  /** `127.0.0.1:PORT`, UDP and TCP. */
  readonly dnsAddress: string;
  /** `smtp://127.0.0.1:PORT` */
  readonly smtpUrl: string;
  /** The zone files that are served: edit these. */
  readonly zonesDir: string;
  /** Every mail that was sent, as a file. */
  readonly mailDir: string;
  /** For the services of a platform that is to live in this world. */
  readonly environment: Readonly<Record<SandboxVariable, string>>;
  /** What is wrong with the zone files now. */
  problems(): readonly SandboxProblem[];
}

export type SandboxVariable =
  | 'DNS_SERVERS'
  | 'SMTP_URL'
  | 'DNS_INTERVAL_SEC'
  | 'DNS_RETRY_SEC'
  | 'DNS_UNKNOWN_RETRY_SEC'
  | 'DNS_TIMEOUT_MS'
  | 'DNS_TRIES';

/**
 * How the platform looks at a world in which a person edits zones and waits for the effect: a repair is seen within
 * 3 s, a break within 11. A question to a silent name costs 0.8 s. Every look is one message of evidence per domain,
 * some 1.5 kB: 30 healthy domains and 6 that are not make 6 messages a second, which the 4 GiB and three days of
 * EVIDENCE hold. A platform of real tenants looks twice a day.
 */
const CADENCE = {
  DNS_INTERVAL_SEC: '10',
  DNS_RETRY_SEC: '2',
  DNS_UNKNOWN_RETRY_SEC: '2',
  DNS_TIMEOUT_MS: '400',
  DNS_TRIES: '2',
} as const;

/** The sandbox cannot start. Names every problem at once. */
export class SandboxError extends Error {
  readonly code = 'sandbox';
  readonly problems: readonly SandboxProblem[];

  constructor(problems: readonly SandboxProblem[]) {
    super(problems.map(problemLine).join('\n'));
    this.problems = problems;
  }
}

/**
 * A small outside world on loopback: name servers that serve a folder of zone files as they are edited, and a mail
 * server that accepts everything and keeps it as files.
 * Throws `SandboxError` when the zones cannot be served, and an `Error` that names the port when it is taken.
 */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const home = resolve(options.dataDir, 'sandbox');
  const zonesDir = join(home, 'zones');
  const mailDir = join(home, 'mail');
  copyNewZones(resolve(options.zonesFrom), zonesDir);
  const folder = new ZoneFolder(zonesDir);
  folder.read();
  refuse(folder.problems());
  const mail = new MailFolder(mailDir);

  await using opened = new AsyncDisposableStack();
  const dns = opened.use(await onPort('DNS', options.dnsPort, (port) => startDnsServer({ port })));
  const smtp = opened.use(
    await onPort('SMTP', options.smtpPort, (port) =>
      startSmtpServer({ port, keepsMessages: false, onMessage: (message) => mail.keep(message) }),
    ),
  );
  serveAsEdited(opened, folder, zonesDir, dns, options);
  const all = opened.move();
  return {
    dnsAddress: dns.address,
    smtpUrl: smtp.url,
    zonesDir,
    mailDir,
    environment: { DNS_SERVERS: dns.address, SMTP_URL: smtp.url, ...CADENCE },
    problems: () => folder.problems(),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

function serveAsEdited(
  opened: AsyncDisposableStack,
  folder: ZoneFolder,
  zonesDir: string,
  dns: DnsServer,
  { onProblem, onMended }: SandboxOptions,
): void {
  let told: readonly SandboxProblem[] = [];
  const look = () => {
    folder.read();
    dns.serve(folder.served());
    const problems = folder.problems();
    const before = new Set(told.map(problemLine));
    const wrong = new Set(problems.map(({ file }) => file));
    const mended = new Set(told.map(({ file }) => file).filter((file) => !wrong.has(file)));
    told = problems;
    for (const problem of problems) if (!before.has(problemLine(problem))) onProblem?.(problem);
    for (const file of mended) onMended?.(file);
  };
  opened.use(watchFolder(zonesDir, look));
  // after the watch has begun, so that no edit falls between
  look();
}

/**
 * Copies the zones of which there is no copy yet: a person edits the copies, and a restart keeps the edits.
 * What cannot be served is refused before anything is copied, so that it is mended where it comes from.
 */
function copyNewZones(from: string, to: string): void {
  let names: string[];
  try {
    names = zoneFileNames(visibleNames(from));
  } catch (error) {
    throw new SandboxError([{ file: from, message: unreadable(error, 'folder') }]);
  }
  if (names.length === 0) {
    throw new SandboxError([{ file: from, message: 'holds no zone file: name each `<zone>.zone`' }]);
  }
  const missing = names.filter((name) => !existsSync(join(to, name)));
  refuse(missing.flatMap((name) => readZoneFile(join(from, name), name).problems));
  mkdirSync(to, { recursive: true });
  for (const name of missing) {
    const draft = join(to, `.${name}`);
    copyFileSync(join(from, name), draft);
    renameSync(draft, join(to, name));
  }
}

function refuse(problems: readonly SandboxProblem[]): void {
  if (problems.length > 0) throw new SandboxError(problems);
}

async function onPort<Started>(
  what: string,
  port: number | undefined,
  start: (port: number) => Promise<Started>,
): Promise<Started> {
  try {
    return await start(port ?? 0);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`the ${what} server cannot start: ${reason}`, { cause });
  }
}
