import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { Resolver } from 'node:dns/promises';
import type { FactValue } from '@orchestrate/canon';
import { type DnsServer, startDnsServer } from '@orchestrate/sandbox';
import { type DKIMSignOptions, dkimSign } from 'mailauth';
import { createTransport } from 'nodemailer';
import { type SeedIntakeOptions, type SeedMessage, startSeedIntake } from './seed-intake.ts';
import { type MessageProof, verifyMessage } from './verify-message.ts';
import type { Resolve } from './watch-questions.ts';

export const DOMAIN = 'acme.test';
export const SEED = 'token1@seeds.test';

const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ED25519 = generateKeyPairSync('ed25519');
const OTHER_RSA = generateKeyPairSync('rsa', { modulusLength: 2048 });

function pem(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'pkcs8' }).toString();
}

const SIGNED_FIELDS = [
  'From',
  'To',
  'Subject',
  'Date',
  'Message-ID',
  'List-Unsubscribe',
  'List-Unsubscribe-Post',
];
const rsa = {
  signingDomain: DOMAIN,
  selector: 'rsa',
  privateKey: pem(RSA.privateKey),
  headerList: SIGNED_FIELDS,
};
export const SIGNERS = {
  rsa,
  ed25519: { ...rsa, selector: 'ed', privateKey: pem(ED25519.privateKey) },
  subdomain: { ...rsa, signingDomain: `mail.${DOMAIN}` },
  thirdParty: { ...rsa, signingDomain: 'esp.test', privateKey: pem(OTHER_RSA.privateKey) },
} satisfies Record<string, DKIMSignOptions>;

function keyRecord(key: KeyObject, type: 'rsa' | 'ed25519'): string {
  const der = key.export({ format: 'der', type: 'spki' });
  const p = (type === 'rsa' ? der : der.subarray(-32)).toString('base64');
  return `v=DKIM1; k=${type}; p=${p}`;
}

export function txt(text: string): string {
  const strings = text.match(/.{1,250}/gs) ?? [''];
  return `TXT ${strings.map((string) => `"${string}"`).join(' ')}`;
}

const RSA_KEY = txt(keyRecord(RSA.publicKey, 'rsa'));
export const ZONE = {
  rsa: `rsa._domainkey.acme 60 IN ${RSA_KEY}`,
  ed25519: `ed._domainkey.acme 60 IN ${txt(keyRecord(ED25519.publicKey, 'ed25519'))}`,
  subdomain: `rsa._domainkey.mail.acme 60 IN ${RSA_KEY}`,
  thirdParty: `rsa._domainkey.esp 60 IN ${txt(keyRecord(OTHER_RSA.publicKey, 'rsa'))}`,
  spf: 'acme 60 IN TXT "v=spf1 ip4:127.0.0.1 -all"',
  spfElsewhere: 'acme 60 IN TXT "v=spf1 ip4:192.0.2.1 -all"',
  spfOfEsp: 'esp 60 IN TXT "v=spf1 ip4:127.0.0.1 -all"',
};
export const ALL_KEYS = [ZONE.rsa, ZONE.ed25519, ZONE.subdomain, ZONE.thirdParty];

export async function dnsWith(lines: readonly string[]): Promise<DnsServer> {
  return await startDnsServer({ zones: { test: `${lines.join('\n')}\n` } });
}

export function resolveAt(server: { readonly address: string }): Resolve {
  const resolver = new Resolver({ timeout: 150, maxTimeout: 150, tries: 1 });
  resolver.setServers([server.address]);
  return (name, type) => resolver.resolve(name, type);
}

export interface Draft {
  readonly from?: string;
  readonly fields?: readonly string[];
  readonly body?: string;
  readonly signers?: readonly DKIMSignOptions[];
}

export const ONE_CLICK = [
  'List-Unsubscribe: <mailto:out@acme.test>,\r\n <https://acme.test/out?id=1>',
  'List-Unsubscribe-Post: List-Unsubscribe=One-Click',
];

/** A message as it goes out, signed by real signers. */
export async function messageOf(draft: Draft = {}): Promise<string> {
  const text = [
    `From: ${draft.from ?? `Ana <ana@${DOMAIN}>`}`,
    `To: ${SEED}`,
    'Subject: probe',
    'Date: Mon, 02 Nov 2026 10:00:00 +0000',
    'Message-ID: <1@acme.test>',
    ...(draft.fields ?? ONE_CLICK),
    '',
    draft.body ?? 'Hello,\r\n..this is a probe.\r\n',
  ].join('\r\n');
  let signatures = '';
  for (const signer of draft.signers ?? []) {
    // the signer marks what it is given
    const signed = await dkimSign(Buffer.from(text), { ...signer, signatureData: [{ ...signer }] });
    if (signed.signatures === '') throw new Error(`not signed: ${JSON.stringify(signed.errors)}`);
    signatures += signed.signatures;
  }
  return signatures + text;
}

export interface Intake extends AsyncDisposable {
  readonly port: number;
  readonly received: readonly SeedMessage[];
}

export async function intakeWith(options: Partial<SeedIntakeOptions> = {}): Promise<Intake> {
  const received: SeedMessage[] = [];
  const intake = await startSeedIntake({
    host: '127.0.0.1',
    port: 0,
    seedHost: 'seeds.test',
    isSeed: (token) => token === 'token1',
    async onMessage(message) {
      await Promise.resolve();
      received.push(message);
    },
    ...options,
  });
  return { port: intake.port, received, [Symbol.asyncDispose]: () => intake.stop() };
}

/** Sends by SMTP. Rejects with the reply as `responseCode` when the server does not take it. */
export async function deliver(
  intake: { readonly port: number },
  raw: string | Buffer,
  { from = `bounces@${DOMAIN}`, to = SEED } = {},
): Promise<void> {
  const transport = createTransport({ host: '127.0.0.1', port: intake.port, name: 'out.acme.test' });
  try {
    await transport.sendMail({ envelope: { from, to: [to] }, raw });
  } finally {
    transport.close();
  }
}

/** Delivers by SMTP to an intake and verifies there what came. */
export async function deliveredProof(
  message: string,
  server: { readonly address: string },
  { from, signal = new AbortController().signal }: { from?: string; signal?: AbortSignal } = {},
): Promise<MessageProof> {
  await using intake = await intakeWith();
  await deliver(intake, message, from === undefined ? {} : { from });
  const [received] = intake.received;
  if (received === undefined) throw new Error('nothing came');
  return await verifyMessage({
    raw: received.raw,
    origin: received,
    domain: DOMAIN,
    resolve: resolveAt(server),
    signal,
  });
}

/** `{ alignment: 'aligned', oneClickSigned: '?timeout' }`, or `refused: <reason>`. */
export function summary(proof: MessageProof): string | Record<string, FactValue> {
  if (proof.kind === 'refused') return `refused: ${proof.reason}`;
  return Object.fromEntries(
    proof.answers.map((answer) => [answer.fact, 'unknown' in answer ? `?${answer.unknown}` : answer.value]),
  );
}
