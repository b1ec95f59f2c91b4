import { parseArgs } from 'node:util';

export const KILLABLE = [
  'layer-runtime',
  'truth-aggregator',
  'dispatch-governance',
  'evidence-probes',
  'reference-sender',
  'nats-server',
] as const;
export type Killable = (typeof KILLABLE)[number];

export interface DemoOptions {
  readonly json: boolean;
  readonly verbose: boolean;
  readonly kill: Killable | null;
  readonly stay: boolean;
}

export const HELP = `npm run demo -- [options]

Runs the platform on free ports with the tenants of examples/outreach, against a DNS server and an SMTP server
on loopback, sends what may be sent, and checks its own books.

  --json            the last line is one JSON object {ok, tenants, requests, decisions, delivered, mismatches}
  --kill <service>  SIGKILL that service midway and start it again: ${KILLABLE.join(', ')}
  --stay            leave everything running until ^C, to look at it with the command line
  --verbose         show the log of the services
  --help            this text

Exit code 0 when everything came out as it must, 1 when not, 2 when called wrongly.`;

/** Null when only help was asked for. Throws with what to do when an option is not known. */
export function demoOptions(args: readonly string[]): DemoOptions | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      verbose: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      stay: { type: 'boolean', default: false },
      kill: { type: 'string' },
    },
  });
  if (values.help) return null;
  const kill = KILLABLE.find((service) => service === values.kill) ?? null;
  if (values.kill !== undefined && kill === null) {
    throw new Error(`there is no service \`${values.kill}\` to kill: there are ${KILLABLE.join(', ')}`);
  }
  return { json: values.json, verbose: values.verbose, stay: values.stay, kill };
}
