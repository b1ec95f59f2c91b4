import { identify, type RunFile } from '@orchestrate/embedded';
import { z } from 'zod';
import { sentenceOf } from './sentence-of.ts';

const ANSWER_MS_MAX = 2_000;

/** The parts of `/healthz` that say why a service is not well. */
const healthSchema = z.looseObject({
  ok: z.boolean(),
  problem: z.string().optional(),
  error: z.string().optional(),
  red: z.array(z.string()).optional(),
  connected: z.boolean().optional(),
});

export interface ServiceHealth {
  readonly instance: string;
  /** In its own words where it has some; null when it is well. */
  readonly problem: string | null;
}

export async function healthOf(service: RunFile['services'][number]): Promise<ServiceHealth> {
  return { instance: service.instance, problem: await problemOf(service) };
}

async function problemOf({ pid, healthPort }: RunFile['services'][number]): Promise<string | null> {
  if (pid === null) return 'its process has ended';
  if (identify(pid) === null) return `its process (pid ${pid}) is gone`;
  if (healthPort === null) return 'it is not ready yet';
  try {
    const signal = AbortSignal.timeout(ANSWER_MS_MAX);
    const answer = await fetch(`http://127.0.0.1:${healthPort}/healthz`, { signal });
    return problemIn(healthSchema.parse(await answer.json()));
  } catch (error) {
    // fetch says that it failed, and its cause says why
    return `its health page does not answer (${sentenceOf((error as Error).cause ?? error)})`;
  }
}

function problemIn({ ok, problem, error, red = [], connected }: z.infer<typeof healthSchema>): string | null {
  if (ok) return null;
  const away = connected === false ? 'it has no connection to nats-server' : undefined;
  const words = [problem, error, ...red, away].filter((text) => text !== undefined);
  return words.join(', ') || 'it is not well and does not say why';
}
