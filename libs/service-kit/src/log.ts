import { pino } from 'pino';

export type Logger = pino.Logger;

const SECRET_NAME = /password|token|secret|authorization/i;
const REDACTED = '[redacted]';
const DEPTH_MAX = 8;

/** JSON lines on stdout, `time` in ms since the epoch; whatever is named like a secret is left out. */
export function createLog(
  options: { service: string; instance: string; level: string },
  // written at once: a line held back is lost when the process ends
  destination: pino.DestinationStream = pino.destination({ dest: 1, sync: true }),
): Logger {
  const { service, instance, level } = options;
  return pino(
    {
      level,
      base: { service, instance },
      timestamp: pino.stdTimeFunctions.epochTime,
      formatters: { log: (object) => withoutSecrets(object, 0) as Record<string, unknown> },
      serializers: { err: (error: Error) => withoutSecrets(pino.stdSerializers.err(error), 0) },
    },
    destination,
  );
}

function withoutSecrets(value: unknown, depth: number): unknown {
  if (depth > DEPTH_MAX) return '[too deep]';
  if (Array.isArray(value)) return value.map((item) => withoutSecrets(item, depth + 1));
  if (!isPlain(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      SECRET_NAME.test(name) ? REDACTED : withoutSecrets(item, depth + 1),
    ]),
  );
}

/** Errors and the like go to their serialisers as they are; one that went through one has a prototype of its own. */
function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !(value instanceof Error) && !('toJSON' in value);
}
