import { isSameProcess, type RunFile, readRunFile } from '@orchestrate/embedded';
import { type Broker, connectBroker, readStreamsFile, type StreamsFile } from '@orchestrate/messaging';
import { type PolicyAndDigest, readPolicyInForce } from '@orchestrate/service-kit';
import { sentenceOf } from './sentence-of.ts';

/** What the data directory says about the platform on this machine. */
export type LocalPlatform =
  | { readonly kind: 'none' }
  | { readonly kind: 'unreadable'; readonly problem: string }
  /** It ended without clearing up. */
  | { readonly kind: 'left_over'; readonly run: RunFile }
  | { readonly kind: 'up'; readonly run: RunFile };

/** What the checks look at. */
export interface Surroundings {
  /** The checkout. */
  readonly root: string;
  readonly dataDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly nowMs: () => number;
  /** As they should be on the server. */
  readonly streams: StreamsFile;
  readonly local: LocalPlatform;
  /** Whether the server to look at keeps its store in the data directory. */
  readonly isStoreHere: boolean;
  /** `host:port` of the server to look at; null when nobody named one and no platform runs here. */
  readonly address: string | null;
  /** Null when there is no address, or nobody answers there. */
  readonly broker: Broker | null;
  /** Why there is no broker although there is an address. */
  readonly problem: string | null;
  /** Null when none is in force, none can be read, or there is no broker. */
  readonly policy: PolicyAndDigest['policy'] | null;
}

export interface DiagnoseOptions {
  readonly root: string;
  readonly dataDir: string;
  /** A server to look at instead of the one of the platform on this machine. */
  readonly natsUrl?: string;
  /** The streams as they should be, when not as this checkout declares them. */
  readonly streams?: StreamsFile;
  readonly env?: NodeJS.ProcessEnv;
  readonly nowMs?: () => number;
}

/** Looks around once; the broker stays connected until `opened` is disposed. */
export async function lookAround(
  options: DiagnoseOptions,
  opened: AsyncDisposableStack,
): Promise<Surroundings> {
  const { root, dataDir, natsUrl, nowMs = Date.now, streams = readStreamsFile() } = options;
  const local = localPlatform(dataDir);
  // What the running platform asks and not what this terminal would: the one is looked at, not the other.
  const given = options.env ?? process.env;
  const env = local.kind === 'up' && natsUrl === undefined ? { ...given, ...local.run.outside } : given;
  const url = natsUrl ?? (local.kind === 'up' ? local.run.nats.url : null);
  const address = url === null ? null : addressOf(url);
  const isStoreHere =
    natsUrl === undefined || (local.kind === 'up' && addressOf(local.run.nats.url) === address);
  const { broker, problem } = url === null ? { broker: null, problem: null } : await tryConnect(url);
  if (broker) opened.use(broker);
  const policy = broker && ((await readPolicyInForce(broker).catch(() => null))?.policy ?? null);
  return { root, dataDir, env, nowMs, streams, local, isStoreHere, address, broker, problem, policy };
}

function localPlatform(dataDir: string): LocalPlatform {
  try {
    const run = readRunFile(dataDir);
    if (!run) return { kind: 'none' };
    return { kind: isSameProcess(run) ? 'up' : 'left_over', run };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // a file in the place of the directory: there is no platform in it, and disk_space says so
    return code === 'ENOTDIR' ? { kind: 'none' } : { kind: 'unreadable', problem: message };
  }
}

async function tryConnect(url: string): Promise<Pick<Surroundings, 'broker' | 'problem'>> {
  try {
    return { broker: await connectBroker({ url, name: 'orchestrate-doctor' }), problem: null };
  } catch (error) {
    return { broker: null, problem: sentenceOf(error) };
  }
}

/** `host:port`; never the user and password that an address may hold. */
function addressOf(url: string): string {
  const text = url.includes('://') ? url : `nats://${url}`;
  if (!URL.canParse(text)) return 'an address that cannot be read';
  const { hostname, port } = new URL(text);
  return `${hostname}:${port || 4222}`;
}
