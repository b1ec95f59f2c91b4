import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const processFields = { pid: z.int().positive(), startTime: z.string() };

/** What a running platform says about itself, for whoever wants to attach to it or to clear up after it. */
export const runFileSchema = z.object({
  version: z.literal(1),
  ...processFields,
  startedAt: z.iso.datetime(),
  nats: z.object({ url: z.string(), monitoringUrl: z.string(), ...processFields }),
  /** What the services were told of the outside world; without user and password. */
  outside: z.object({ DNS_SERVERS: z.string().optional(), SMTP_URL: z.string().optional() }).optional(),
  services: z.array(
    z.object({
      name: z.string(),
      instance: z.string(),
      pid: z.int().positive().nullable(),
      healthPort: z.int().nullable(),
    }),
  ),
});
export type RunFile = z.infer<typeof runFileSchema>;

const pathIn = (dataDir: string) => join(dataDir, 'run.json');

export function writeRunFile(dataDir: string, content: RunFile): void {
  mkdirSync(dataDir, { recursive: true });
  const draft = `${pathIn(dataDir)}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(content, null, 2)}\n`);
  renameSync(draft, pathIn(dataDir));
}

/** Null when there is none; throws when there is one that cannot be understood. */
export function readRunFile(dataDir: string): RunFile | null {
  let text: string;
  try {
    text = readFileSync(pathIn(dataDir), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  try {
    return runFileSchema.parse(JSON.parse(text));
  } catch (cause) {
    const path = pathIn(dataDir);
    const problem = cause instanceof z.ZodError ? z.prettifyError(cause) : (cause as Error).message;
    throw new Error(
      `run file \`${path}\` cannot be read: ${problem}; stop the platform that wrote it, then delete the file`,
      { cause },
    );
  }
}

export function removeRunFile(dataDir: string): void {
  rmSync(pathIn(dataDir), { force: true });
}
