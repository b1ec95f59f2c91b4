import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Policy, policyDigestOf, policySchema } from '@orchestrate/canon';
import { policyActivated, policyPublished, VERSION } from '@orchestrate/contracts';
import { findNatsServer, type NatsServer, startNatsServer } from '@orchestrate/embedded';
import { activatePolicy, type Broker, connectBroker, encode, provisionStreams } from '@orchestrate/messaging';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { PolicyInForce } from './policy-in-force.ts';

const ROOT = join(import.meta.dirname, '../../..');
let directory: string;
let nats: NatsServer;
let broker: Broker;
const standard = policySchema.parse(JSON.parse(readFileSync(join(ROOT, 'policies/default.json'), 'utf8')));

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'policy-in-force-'));
  const binary = findNatsServer(ROOT);
  if (!binary) throw new Error('no nats-server here: run `npm run setup`');
  nats = await startNatsServer({ binary, dataDir: directory, syncInterval: '100ms' });
  broker = await connectBroker({ url: nats.url, name: 'test' });
});
afterAll(async () => {
  await broker.close();
  await nats.stop();
  rmSync(directory, { recursive: true });
});

const named = (name: string): Policy => ({ ...standard, name });

async function activate(digest: string): Promise<void> {
  const message = { v: VERSION, id: randomUUID(), digest, activatedBy: 'operator' as const };
  await broker.publisher.publish(policyActivated.subject(null), encode(policyActivated, message));
}

test('without any policy it says what to do', async () => {
  await expect(PolicyInForce.follow(broker, { firstMsMax: 300 })).rejects.toThrow(
    /no usable policy in force after 0.3 s .*: provision the streams and a policy first/,
  );
});

test('a policy that is activated while it waits is taken', async () => {
  const following = PolicyInForce.follow(broker);
  await provisionStreams(broker);
  const digest = await activatePolicy(broker, standard);
  const policies = await following;
  expect(policies.current).toEqual({ policy: standard, digest });
  await policies.close();
});

test('a new policy is told once, and one that cannot be used leaves the last good one in force', async () => {
  await activatePolicy(broker, standard);
  const policies = await PolicyInForce.follow(broker);
  const told: string[] = [];
  policies.onChange(({ policy }) => told.push(policy.name));

  await activatePolicy(broker, named('stricter'));
  await activatePolicy(broker, named('stricter'));
  await vi.waitFor(() => expect(policies.current.policy.name).toBe('stricter'));

  await activate('0'.repeat(64));
  await vi.waitFor(() => expect(policies.problem).toMatch(/was activated but never published/));

  const forged = policyDigestOf(named('forged'));
  const document = { v: VERSION, id: randomUUID(), digest: forged, policy: named('other') };
  await broker.publisher.publish(policyPublished.subject(forged), encode(policyPublished, document));
  await activate(forged);
  await vi.waitFor(() => expect(policies.problem).toMatch(/has the digest/));

  await broker.publisher.publish(policyActivated.subject(null), new TextEncoder().encode('{'));
  await vi.waitFor(() => expect(policies.problem).toMatch(/not JSON/));
  expect(policies.current.policy.name).toBe('stricter');

  await activatePolicy(broker, standard);
  await vi.waitFor(() => expect(policies.problem).toBeNull());
  expect(told).toEqual(['stricter', 'default']);
  await policies.close();
});
