import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { partitionOf } from '@orchestrate/canon';
import { evidenceObserved, STREAM_NAMES, type TenantConfig, tenantConfigured } from '@orchestrate/contracts';
import { activatePolicy, type Broker, decodeStrict, encode, readStored } from '@orchestrate/messaging';
import { createLog } from '@orchestrate/service-kit';
import { declarationOf, defaultPolicy, startTestBroker, type TestBroker } from '@orchestrate/test-kit';
import { Stripe } from 'stripe';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startProbes } from './app.ts';
import {
  list,
  SECRET_KEY,
  SIGNING_SECRET,
  startStripeApi,
  subscription,
} from './billing/billing.test-support.ts';
import { STRIPE_WEBHOOKS_PATH } from './billing/stripe-webhooks.ts';
import { DOMAIN, deliver, dnsWith, messageOf, SIGNERS, ZONE } from './delivered/delivered.test-support.ts';
import { seedToken } from './delivered/seed-address.ts';
import { CLIENT, startAuthorizationServer } from './mailbox/authorization-server.test-support.ts';
import { PASSWORD, startSubmissionServer, USER } from './mailbox/submission-server.test-support.ts';
import type { ProbeWord } from './probe-words.ts';
import { KEY, LISTING, startProvider } from './provider-health/provider-health.test-support.ts';

let server: TestBroker;
let broker: Broker;
beforeAll(async () => {
  server = await startTestBroker();
  broker = server.broker;
  await activatePolicy(broker, defaultPolicy());
});
afterAll(() => server[Symbol.asyncDispose]());

/** A folder of credentials, and an instance that looks with them. */
async function startInstance(files: Readonly<Record<string, object>>, change: object = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'orchestrate-credentials-'));
  for (const [name, value] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), JSON.stringify(value));
  }
  const lines: string[] = [];
  const running = await startProbes({
    name: 'evidence-probes',
    instance: 'evidence-probes-1',
    life: '6d0f4b0a-0000-4000-8000-000000000001',
    broker,
    log: createLog(
      { service: 'evidence-probes', instance: 'evidence-probes-1', level: 'debug' },
      { write: (line) => lines.push(line) },
    ),
    environment: {
      ...{ NATS_URL: '', LOG_LEVEL: 'debug', HEALTH_HOST: '127.0.0.1', HEALTH_PORT: 0 },
      PROBES: ['mailbox', 'provider', 'billing'] satisfies ProbeWord[],
      CREDENTIALS_DIR: folder,
      WEBHOOK_HOST: '127.0.0.1',
      ...{ SEED_LISTEN: '127.0.0.1', SEED_PORT: 0 },
      ...{ DNS_SERVERS: [], DNS_TIMEOUT_MS: 150, DNS_TRIES: 1, DNS_RETRY_SEC: 1, DNS_UNKNOWN_RETRY_SEC: 1 },
      HEARTBEAT_SEC: 1,
      ...change,
    },
    stop: (error) => {
      throw error;
    },
  });
  return {
    running,
    folder,
    lines,
    async [Symbol.asyncDispose]() {
      await running.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function declare(tenantId: string, change: Partial<TenantConfig>): Promise<void> {
  const message = { ...declarationOf(tenantId), ...change };
  await broker.publisher.publish(tenantConfigured.subject(tenantId), encode(tenantConfigured, message));
}

async function told(tenantId: string, layer: string): Promise<readonly Record<string, unknown>[]> {
  const filters = [`evidence.${partitionOf(tenantId)}.${tenantId}.${layer}.*`];
  const all: Record<string, unknown>[] = [];
  for await (const { data } of readStored(broker, { stream: 'EVIDENCE', filters, fromSeq: 1 })) {
    const { facts } = decodeStrict(evidenceObserved, data);
    const entries = facts.map((seen) => [seen.fact, 'unknown' in seen ? `?${seen.unknown}` : seen.value]);
    all.push(Object.fromEntries(entries));
  }
  return all;
}
const lastTold = async (tenantId: string, layer: string) => (await told(tenantId, layer)).at(-1);

const mailboxOf = (credential: string | null): TenantConfig['mailboxes'] => [
  { ...declarationOf('x').mailboxes[0]!, credential },
];

test('a tenant is looked at by what it declares, and no secret is to be found in any stream, log or health', async () => {
  let status = 'active';
  await using stripe = await startStripeApi(() => ({ body: list([subscription({ status })]) }));
  await using provider = await startProvider((_, response) => response.writeHead(200).end(LISTING));
  await using smtp = await startSubmissionServer();
  await using issuer = await startAuthorizationServer();
  const grant = await issuer.grant();
  await using instance = await startInstance(
    {
      'stripe.json': {
        secretKey: SECRET_KEY,
        webhookSecrets: [SIGNING_SECRET],
        ...{ host: '127.0.0.1', port: stripe.port, protocol: 'http' },
      },
      'providers/writer.json': { style: 'openai', baseUrl: provider.baseUrl, key: KEY },
      'mailboxes/full/anna.json': {
        ...{ identityClass: 'user', user: USER, password: PASSWORD },
        smtp: { host: '127.0.0.1', port: smtp.port, tls: 'offered' },
      },
      'mailboxes/granted/anna.json': {
        identityClass: 'user',
        oauth: {
          ...CLIENT,
          tokenUrl: issuer.tokenUrl,
          introspectionUrl: issuer.introspectionUrl,
          refreshToken: grant.refreshToken,
          scopes: ['gmail.send'],
        },
      },
    },
    { WEBHOOK_PORT: 0 },
  );
  await declare('full', {
    billing: { stripeCustomer: 'cus_1' },
    aiProvider: 'writer',
    mailboxes: mailboxOf('anna'),
  });
  await declare('granted', { mailboxes: mailboxOf('anna') });
  await declare('bare', { aiProvider: 'nobodys', mailboxes: mailboxOf('nobodys') });

  await vi.waitFor(async () => {
    expect(await lastTold('full', 'billing')).toMatchObject({ subscriptionStatus: 'active' });
    expect(await lastTold('full', 'provider_health')).toMatchObject({
      ...{ reachable: true, errorClass: 'none', samples5m: 5 },
    });
    expect(await lastTold('full', 'mailbox')).toEqual({
      canSend: true,
      token: 'active',
      identityClass: 'user',
    });
    expect(await lastTold('granted', 'mailbox')).toMatchObject({ token: 'active', identityClass: 'user' });
  });

  status = 'past_due';
  const { webhookPort } = instance.running.health().detail as { webhookPort: number };
  const payload = JSON.stringify({
    ...{ id: 'evt_1', object: 'event', type: 'customer.subscription.updated', created: 1_780_000_000 },
    data: { object: { ...subscription({ status: 'canceled' }), customer: 'cus_1' } },
  });
  const signature = new Stripe('sk_test_x').webhooks.generateTestHeaderString({
    payload,
    secret: SIGNING_SECRET,
  });
  const post = (body: string) =>
    fetch(`http://127.0.0.1:${webhookPort}${STRIPE_WEBHOOKS_PATH}`, {
      method: 'POST',
      headers: { 'stripe-signature': signature },
      body,
    });
  expect((await post(payload.replace('canceled', 'active__'))).status).toBe(400);
  expect((await post(payload)).status).toBe(200);
  // What the event says is old by now: Stripe itself is asked.
  await vi.waitFor(async () =>
    expect(await lastTold('full', 'billing')).toMatchObject({ subscriptionStatus: 'past_due' }),
  );

  for (const layer of ['billing', 'provider_health', 'mailbox'])
    expect(await told('bare', layer)).toEqual([]);
  const secrets = [SECRET_KEY, SIGNING_SECRET, KEY, PASSWORD, CLIENT.clientSecret, grant.refreshToken];
  const seen = `${instance.lines.join('')}${JSON.stringify(instance.running.health())}${await everything()}`;
  expect(seen).toContain('subscriptionStatus');
  for (const secret of secrets) {
    expect(seen).not.toContain(secret);
    expect(seen).not.toContain(encodeURIComponent(secret));
    expect(seen).not.toContain(Buffer.from(secret).toString('base64'));
  }
});

async function everything(): Promise<string> {
  const texts: string[] = [];
  for (const stream of STREAM_NAMES) {
    for await (const { data } of readStored(broker, { stream, filters: ['>'], fromSeq: 1 })) {
      texts.push(new TextDecoder().decode(data));
    }
  }
  return texts.join('\n');
}

async function grantOf(issuer: Awaited<ReturnType<typeof startAuthorizationServer>>) {
  const grant = await issuer.grant();
  const { tokenUrl } = issuer;
  const oauth = { ...CLIENT, tokenUrl, refreshToken: grant.refreshToken, scopes: ['gmail.send'] };
  return { grant, oauth };
}

test('a refresh token that was rotated is the one that is used next, also by another process', async () => {
  await using issuer = await startAuthorizationServer({ rotates: true });
  const { grant, oauth } = await grantOf(issuer);
  const file = 'mailboxes/rotating/anna.json';
  await using instance = await startInstance({ [file]: { identityClass: 'user', oauth } });
  await declare('rotating', { mailboxes: mailboxOf('anna') });
  await vi.waitFor(async () =>
    expect(await lastTold('rotating', 'mailbox')).toMatchObject({ token: 'active' }),
  );
  const kept = JSON.parse(readFileSync(join(instance.folder, file), 'utf8'));
  expect(kept.oauth.refreshToken).not.toBe(grant.refreshToken);
  await using _ = await startInstance({ [file]: kept });
  await vi.waitFor(async () => expect((await told('rotating', 'mailbox')).length).toBeGreaterThan(1));
  expect(await lastTold('rotating', 'mailbox')).toMatchObject({ token: 'active' });
});

test('two mailboxes of one grant, looked at by two processes, use each refresh token once', async () => {
  await using issuer = await startAuthorizationServer({ rotates: true });
  const { oauth } = await grantOf(issuer);
  const file = 'mailboxes/twins/anna.json';
  await using one = await startInstance({ [file]: { identityClass: 'user', oauth } });
  await using _ = await startInstance({}, { CREDENTIALS_DIR: one.folder, PROBES: ['mailbox'] });
  const [mailbox] = mailboxOf('anna');
  for (let round = 0; round < 5; round++) {
    await declare('twins', { mailboxes: [mailbox!, { ...mailbox!, id: 'ben' }] });
    const before = (await told('twins', 'mailbox')).length;
    await vi.waitFor(async () => expect((await told('twins', 'mailbox')).length).toBeGreaterThan(before + 1));
  }
  for (const facts of await told('twins', 'mailbox')) expect(facts).toMatchObject({ token: 'active' });
});

test('with the network unplugged everything is unknown, nothing fails and nothing passes', async () => {
  const nowhere = { host: '127.0.0.1', port: 9, tls: 'offered' };
  await using _ = await startInstance({
    'stripe.json': { secretKey: SECRET_KEY, host: '127.0.0.1', port: 9, protocol: 'http' },
    'providers/away.json': { style: 'anthropic', baseUrl: 'http://127.0.0.1:9', key: KEY },
    'mailboxes/unplugged/anna.json': {
      ...{ identityClass: 'user', user: USER, password: PASSWORD, smtp: nowhere, imap: nowhere },
    },
  });
  await declare('unplugged', {
    billing: { stripeCustomer: 'cus_9' },
    aiProvider: 'away',
    mailboxes: mailboxOf('anna'),
  });
  await vi.waitFor(
    async () => {
      for (const layer of ['billing', 'provider_health', 'mailbox']) {
        expect(await lastTold('unplugged', layer), layer).toBeDefined();
      }
    },
    { timeout: 10_000 },
  );
  for (const layer of ['billing', 'provider_health', 'mailbox']) {
    const { identityClass: _declared, ...facts } = (await lastTold('unplugged', layer))!;
    for (const value of Object.values(facts)) expect(value, layer).toMatch(/^\?/);
  }
});

test('a file of credentials that cannot be used leaves its own source unknown, and is named without what stands in it', async () => {
  await using instance = await startInstance({
    'mailboxes/botched/anna.json': { identityClass: 'user', password: { planted: PASSWORD } },
  });
  await declare('botched', { mailboxes: mailboxOf('anna') });
  await vi.waitFor(async () =>
    expect(await lastTold('botched', 'mailbox')).toMatchObject({
      token: '?probe_fault',
      canSend: '?probe_fault',
    }),
  );
  expect(instance.lines.join('')).toContain('mailboxes/botched/anna.json: not as it should be: password');
  expect(instance.lines.join('')).not.toContain(PASSWORD);
});

test('webhooks without a secret to check them with are no way to start', async () => {
  await expect(startInstance({}, { WEBHOOK_PORT: 0 })).rejects.toThrow(/stripe\.json.*webhookSecrets/);
});

test('a message that a tenant sends as proof is verified, and one to a guessed address is refused', async () => {
  await using dns = await dnsWith([ZONE.rsa, ZONE.spf]);
  const secret = 'a-secret-for-seed-addresses';
  await using instance = await startInstance(
    { 'seeds.json': { secret } },
    { SEED_HOST: 'seeds.test', DNS_SERVERS: [dns.address], PROBES: ['billing'] },
  );
  const { seedPort: port } = instance.running.health().detail as { seedPort: number };
  const domain = { ...declarationOf('x').domains[0]!, id: 'main', name: DOMAIN };
  await declare('proven', { domains: [domain] });
  const raw = await messageOf({ signers: [SIGNERS.rsa] });
  const to = `${seedToken(secret, 'proven', 'main')}@seeds.test`;
  await vi.waitFor(() => deliver({ port }, raw, { to }));
  expect(await told('proven', 'sending_domain')).toEqual([{ alignment: 'aligned', oneClickSigned: true }]);

  await expect(deliver({ port }, raw, { to: `${'0'.repeat(32)}@seeds.test` })).rejects.toMatchObject({
    responseCode: 550,
  });
  await deliver({ port }, await messageOf({ from: 'eve@elsewhere.test' }), { to });
  expect(await told('proven', 'sending_domain')).toHaveLength(1);
  expect(instance.lines.join('')).toContain('other_domain');
  expect(`${instance.lines.join('')}${await everything()}`).not.toContain(secret);

  await declare('proven', { domains: [{ ...domain, enabled: false }] });
  await vi.waitFor(async () =>
    expect(await deliver({ port }, raw, { to }).catch((error) => error.responseCode)).toBe(550),
  );
});

test('the command tells the address of a proof, and proves by a file what arrived elsewhere', async () => {
  await using dns = await dnsWith([ZONE.rsa]);
  await using instance = await startInstance({ 'seeds.json': { secret: 'a-secret-for-seed-addresses' } });
  await declare('filed', { domains: [{ ...declarationOf('x').domains[0]!, id: 'main', name: DOMAIN }] });
  const run = async (...args: string[]) => {
    const env = {
      ...{ PATH: process.env.PATH, CREDENTIALS_DIR: instance.folder, SEED_HOST: 'seeds.test' },
      ...{ NATS_URL: `nats://${broker.nc.getServer()}`, DNS_SERVERS: ` ${dns.address} ` },
    };
    const script = join(import.meta.dirname, 'delivered/seed.ts');
    return promisify(execFile)(process.execPath, [script, ...args], { env }).then(
      ({ stdout }) => ({ code: 0, text: stdout }),
      ({ code, stderr }) => ({ code, text: stderr as string }),
    );
  };
  const token = seedToken('a-secret-for-seed-addresses', 'filed', 'main');
  expect(await run('address', 'filed', 'main')).toEqual({ code: 0, text: `${token}@seeds.test\n` });

  const file = join(instance.folder, 'proof.eml');
  writeFileSync(file, await messageOf({ signers: [SIGNERS.rsa] }));
  expect(await run('verify', 'filed', 'main', file)).toMatchObject({ code: 0 });
  expect(await told('filed', 'sending_domain')).toEqual([{ alignment: 'aligned', oneClickSigned: true }]);
  writeFileSync(file, await messageOf({ from: 'eve@elsewhere.test' }));
  expect(await run('verify', 'filed', 'main', file)).toMatchObject({
    code: 2,
    text: expect.stringContaining('proves nothing of acme.test: other_domain'),
  });
  expect(await run('verify', 'filed', 'nowhere', file)).toEqual({
    code: 2,
    text: 'tenant `filed` declares no domain `nowhere`\n',
  });
  expect(await run()).toMatchObject({ code: 2, text: expect.stringContaining('usage:') });
  expect(await run('--help')).toMatchObject({ code: 0, text: expect.stringContaining('usage:') });
});
