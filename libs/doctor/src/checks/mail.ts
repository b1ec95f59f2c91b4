import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { milliseconds } from '../figures.ts';
import { fail, type Judgement, ok, skipped } from '../finding.ts';
import { sentenceOf } from '../sentence-of.ts';
import type { Surroundings } from '../surroundings.ts';
import { type TcpTarget, withSocket } from '../tcp.ts';

const GREETING_MS_MAX = 3_000;
const REMEDY = 'start the mail server, or correct SMTP_URL, and the way to it (firewall, TLS)';

/** Only a greeting of 220 says that the server takes mail (RFC 5321 3.1); 554 says that it does not. */
export function judgeGreeting(server: string, greeting: string, ms: number): Judgement {
  const data = { server, greeting, ms: Math.round(ms) };
  return /^220(?:[ -]|$)/.test(greeting)
    ? ok(`${server} greets with \`${greeting}\` in ${milliseconds(ms)}`, data)
    : fail(`${server} greets with \`${greeting}\` and takes no mail`, REMEDY, data);
}

export async function checkMail({ env, local }: Pick<Surroundings, 'env' | 'local'>): Promise<Judgement> {
  if (!env.SMTP_URL) {
    const runs = local.kind === 'up' && local.run.services.some(({ name }) => name === 'reference-sender');
    return runs
      ? skipped(
          'SMTP_URL is not set here, though reference-sender runs',
          'set SMTP_URL as the platform has it',
        )
      : skipped(
          'SMTP_URL is not set: no sender is started, so decisions are made and no mail goes out',
          'to deliver mail set SMTP_URL, for example smtp://127.0.0.1:2525, and start the platform again',
        );
  }
  const target = targetOf(env.SMTP_URL);
  if (!target) {
    return fail(
      'SMTP_URL cannot be read',
      'set it to an address such as smtp://user:password@mail.example.org:587',
    );
  }
  const server = `${target.host}:${target.port}`;
  const askedMs = performance.now();
  try {
    const greeting = await withSocket(target, GREETING_MS_MAX, firstLine);
    return judgeGreeting(server, greeting, performance.now() - askedMs);
  } catch (error) {
    return fail(`${server} does not greet: ${sentenceOf(error)}`, REMEDY, { server });
  }
}

/** Null for what is no address of a mail server. Without a port it is that of submission (RFC 6409, RFC 8314). */
export function targetOf(smtpUrl: string): TcpTarget | null {
  const url = URL.canParse(smtpUrl) ? new URL(smtpUrl) : null;
  if (!url || !/^smtps?:$/.test(url.protocol) || !url.hostname) return null;
  const isTls = url.protocol === 'smtps:';
  const port = Number(url.port) || (isTls ? 465 : 587);
  return { host: url.hostname.replaceAll(/[[\]]/g, ''), port, isTls };
}

async function firstLine(socket: Socket): Promise<string> {
  const lines = createInterface({ input: socket });
  const [line] = await Promise.race([
    once(lines, 'line'),
    once(socket, 'end').then(() => {
      throw new Error('it hung up');
    }),
  ]);
  return String(line).slice(0, 200);
}
