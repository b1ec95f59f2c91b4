import { id } from '@orchestrate/contracts';
import { z } from 'zod';

/** What every service takes from its environment. */
export const baseEnvironment = {
  NATS_URL: z
    .url({ protocol: /^(nats|tls|ws|wss)$/ })
    .default('nats://127.0.0.1:4222')
    .describe('the address of nats-server, such as nats://127.0.0.1:4222'),
  ORCHESTRATE_INSTANCE: id
    .optional()
    .describe('the name of this instance: 1 to 64 of a-z 0-9 _ - starting with a letter or digit'),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('one of trace, debug, info, warn, error, fatal, silent'),
  HEALTH_HOST: z
    .union([z.ipv4(), z.ipv6()])
    .default('127.0.0.1')
    .describe('the IP address to answer health questions on'),
  HEALTH_PORT: wholeNumber(0, 65_535).default(0).describe('a port, 0 to 65535; 0 takes a free one'),
} as const;

/** Environment variables are text: a whole number within bounds, both included. */
export function wholeNumber(min: number, max: number) {
  return z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number)
    .pipe(z.number().int().min(min).max(max));
}

/** What is wrong with the environment: one sentence per variable, all of them together. */
export class EnvironmentError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/**
 * Reads the variables that a schema names; an empty one counts as not set. Values are never repeated in a problem:
 * some of them hold a password. Throws EnvironmentError.
 */
export function parseEnvironment<Schema extends z.ZodObject>(
  schema: Schema,
  environment: NodeJS.ProcessEnv = process.env,
): z.output<Schema> {
  const given = Object.fromEntries(
    Object.keys(schema.shape).flatMap((name) => (environment[name] ? [[name, environment[name]]] : [])),
  );
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new EnvironmentError(problemsIn(schema, given, parsed.error));
}

function problemsIn(schema: z.ZodObject, given: Record<string, unknown>, error: z.ZodError): string[] {
  const byVariable = Map.groupBy(error.issues, (issue) => String(issue.path[0] ?? ''));
  return [...byVariable].map(([name, issues]) => {
    const field = schema.shape[name] as z.ZodType | undefined;
    const takes = field?.description ?? issues[0]?.message.toLowerCase() ?? 'something else';
    return name in given
      ? `environment variable \`${name}\` cannot be used as it is: it takes ${takes}`
      : `environment variable \`${name}\` is not set: it takes ${takes}`;
  });
}
