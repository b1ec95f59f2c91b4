import { findNatsServer, MINIMUM_VERSION, versionOfNatsServer } from '@orchestrate/embedded';
import { fail, type Judgement, ok, warn } from '../finding.ts';
import { sentenceOf } from '../sentence-of.ts';
import type { Surroundings } from '../surroundings.ts';

/** Older ones can damage compressed or encrypted streams when these are compacted. */
const VERSION_ADVISED = '2.14.0';

export interface NatsServersFound {
  /** On this machine. */
  readonly binary: { readonly path: string; readonly version: string } | null;
  /** Why the binary that was named cannot be used. */
  readonly problem: string | null;
  /** Version and address of the server that is connected. */
  readonly connected: { readonly version: string; readonly address: string } | null;
}

export function judgeNatsServer({ binary, problem, connected }: NatsServersFound): Judgement {
  const data = {
    path: binary?.path ?? null,
    binaryVersion: binary?.version ?? null,
    serverVersion: connected?.version ?? null,
  };
  if (problem) return fail(problem, 'correct or unset the variable that names the binary', data);
  if (!binary && !connected) {
    return fail(
      `no nats-server ${MINIMUM_VERSION} or newer on this machine`,
      'run `npm run setup`, which brings one, or name one in ORCHESTRATE_NATS_SERVER',
      data,
    );
  }
  const running = connected && `server ${connected.version} at ${connected.address}`;
  const found = [
    binary ? `binary ${binary.version} at ${binary.path}` : 'no binary on this machine, and none needed',
    ...(running ? [running] : []),
  ].join('; ');
  const oldest = [binary?.version, connected?.version].reduce<string | undefined>(
    (one, other) => (other && (!one || isOlder(other, one)) ? other : one),
    undefined,
  );
  const remedy = `bring nats-server to ${VERSION_ADVISED} or newer, then restart it`;
  if (oldest && isOlder(oldest, MINIMUM_VERSION)) {
    return fail(`${found}: older than ${MINIMUM_VERSION}, whose streams the platform needs`, remedy, data);
  }
  if (oldest && isOlder(oldest, VERSION_ADVISED)) {
    return warn(`${found}: before ${VERSION_ADVISED} compaction can damage compressed streams`, remedy, data);
  }
  return ok(found, data);
}

export function isOlder(version: string, than: string): boolean {
  const [have, want] = [version, than].map((text) =>
    text.split('.').map((part) => Number.parseInt(part, 10)),
  );
  const difference = want!.map((part, index) => (have![index] ?? 0) - part).find((part) => part !== 0) ?? 0;
  return difference < 0;
}

export async function checkNatsServer({ root, env, broker, address }: Surroundings): Promise<Judgement> {
  const version = broker?.nc.info?.version;
  const connected = version ? { version, address: address ?? '' } : null;
  try {
    const path = findNatsServer(root, env);
    const binary = path === null ? null : { path, version: versionOfNatsServer(root, path) };
    return judgeNatsServer({ binary, problem: null, connected });
  } catch (error) {
    return judgeNatsServer({ binary: null, problem: sentenceOf(error), connected });
  }
}
