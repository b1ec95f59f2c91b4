import { randomUUID } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { partitionOf } from '@orchestrate/canon';
import { type EvidenceObserved, evidenceObserved } from '@orchestrate/contracts';
import { type Broker, decodeStrict, readStored } from '@orchestrate/messaging';
import { createLog } from '@orchestrate/service-kit';
import { declarationOf, defaultPolicy, startTestBroker, type TestBroker } from '@orchestrate/test-kit';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import type { ConfiguredTenant } from '../handle-tenant-config.ts';
import { EvidencePublisher } from '../publish-evidence.ts';
import { defineProbe, type Probe } from './define-probe.ts';
import { ProbeRunner } from './probe-runner.ts';

let server: TestBroker;
let broker: Broker;
beforeAll(async () => {
  server = await startTestBroker();
  broker = server.broker;
});
afterAll(() => server[Symbol.asyncDispose]());
afterEach(() => {
  vi.useRealTimers();
});

const policy = defaultPolicy();
const log = createLog({ service: 'evidence-probes', instance: 'test', level: 'warn' });
const EVERY_MS = 40;

/** Asks a web server for each mailbox of a tenant, under the tenant's own path. */
function mailboxProbe(url: string, change: Partial<Probe<string>> = {}): Probe<string> {
  return defineProbe<string>({
    name: 'web-probe',
    layer: 'mailbox',
    facts: ['canSend'],
    targets: ({ tenantId, mailboxes }) =>
      mailboxes.map(({ id }) => ({ source: id, params: `${url}/${tenantId}/${id}` })),
    look: async ({ params, signal }) => {
      const { ok, status } = await fetch(params, { signal });
      if (status === 204) return { answers: [] };
      return {
        answers: [
          status < 500 ? { fact: 'canSend', value: ok } : { fact: 'canSend', unknown: 'unreachable' },
        ],
      };
    },
    cadence: () => ({ intervalMs: EVERY_MS, failingMs: EVERY_MS, unknownMs: EVERY_MS }),
    timeoutMs: 5_000,
    tries: 1,
    ...change,
  });
}

async function web(listener: RequestListener) {
  const asked: string[] = [];
  const http = createServer((request, response) => {
    asked.push(request.url!);
    listener(request, response);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => http.once('listening', resolve));
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    asked,
    of: (tenantId: string) => asked.filter((path) => path.startsWith(`/${tenantId}/`)).length,
    async [Symbol.asyncDispose]() {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

const newTenant = () => `t-${randomUUID().slice(0, 8)}`;
const configured = (tenantId: string, mailboxes = ['anna']): ConfiguredTenant => {
  const declared = declarationOf(tenantId);
  return {
    p: partitionOf(tenantId),
    reference: 'CONFIG/1',
    config: { ...declared, mailboxes: mailboxes.map((id) => ({ ...declared.mailboxes[0]!, id })) },
  };
};

function running<Params>(probe: Probe<Params>) {
  const runner = new ProbeRunner(probe, {
    evidence: new EvidencePublisher(broker, log),
    policy: () => policy,
    log,
  });
  return { runner, [Symbol.asyncDispose]: () => runner.close() };
}

async function told(tenantId: string): Promise<readonly EvidenceObserved['facts'][number][]> {
  const filters = [`evidence.${partitionOf(tenantId)}.${tenantId}.mailbox.*`];
  const facts: EvidenceObserved['facts'][number][] = [];
  for await (const { data } of readStored(broker, { stream: 'EVIDENCE', filters, fromSeq: 1 })) {
    facts.push(...decodeStrict(evidenceObserved, data).facts);
  }
  return facts;
}

test('what answers is told at once and again and again, under the name of who looked', async () => {
  const tenantId = newTenant();
  await using site = await web((_, response) => response.writeHead(200).end());
  await using it = running(mailboxProbe(site.url));
  it.runner.watch(configured(tenantId));
  await vi.waitFor(async () => expect((await told(tenantId)).length).toBeGreaterThan(2));
  expect((await told(tenantId))[0]).toMatchObject({ fact: 'canSend', value: true });
});

test('one that hangs keeps nobody else waiting', async () => {
  const [slow, quick] = [newTenant(), newTenant()];
  await using site = await web((request, response) => {
    if (request.url!.startsWith(`/${quick}/`)) response.writeHead(200).end();
  });
  await using it = running(mailboxProbe(site.url, { atATime: 2, timeoutMs: 60_000 }));
  it.runner.watch(configured(slow));
  it.runner.watch(configured(quick));
  await vi.waitFor(async () => expect((await told(quick)).length).toBeGreaterThan(2));
  expect([site.of(slow), await told(slow)]).toEqual([1, []]);
});

test('one that takes too long is unknown, and is asked again', async () => {
  const tenantId = newTenant();
  await using site = await web(() => {});
  await using it = running(mailboxProbe(site.url, { timeoutMs: 50 }));
  it.runner.watch(configured(tenantId));
  await vi.waitFor(async () => expect((await told(tenantId)).length).toBeGreaterThan(1));
  expect(await told(tenantId)).toMatchObject((await told(tenantId)).map(() => ({ unknown: 'timeout' })));
});

test('a look that throws leaves its facts unknown and goes on', async () => {
  const tenantId = newTenant();
  const look = async () => {
    throw new Error('a mistake of ours');
  };
  await using it = running(mailboxProbe('', { look }));
  it.runner.watch(configured(tenantId));
  await vi.waitFor(async () => expect((await told(tenantId)).length).toBeGreaterThan(1));
  expect((await told(tenantId))[0]).toMatchObject({ unknown: 'probe_fault' });
});

test('where there is nothing to ask nothing is told, and it is tried again', async () => {
  const tenantId = newTenant();
  await using site = await web((_, response) => response.writeHead(204).end());
  await using it = running(mailboxProbe(site.url));
  it.runner.watch(configured(tenantId));
  await vi.waitFor(() => expect(site.of(tenantId)).toBeGreaterThan(2));
  expect(await told(tenantId)).toEqual([]);
});

test('a look that nobody answered is tried again before it is unknown', async () => {
  const tenantId = newTenant();
  let asked = 0;
  await using site = await web((_, response) => response.writeHead(asked++ === 0 ? 503 : 200).end());
  await using it = running(mailboxProbe(site.url, { tries: 2 }));
  it.runner.watch(configured(tenantId));
  await vi.waitFor(async () => expect((await told(tenantId)).length).toBeGreaterThan(0));
  expect((await told(tenantId))[0]).toMatchObject({ value: true });
});

test('who shares the fate of five that reached nobody is spared for half a minute, and others are not', async () => {
  const [dead, alive] = [newTenant(), newTenant()];
  await using site = await web((request, response) =>
    response.writeHead(request.url!.startsWith(`/${dead}/`) ? 503 : 200).end(),
  );
  await using it = running(mailboxProbe(site.url, { fate: (params) => params.split('/')[3]! }));
  it.runner.watch(configured(dead));
  it.runner.watch(configured(alive));
  await vi.waitFor(() => expect(it.runner.status().spared).toBe(1));
  const asked = site.of(dead);
  const before = (await told(dead)).length;
  await vi.waitFor(async () => expect((await told(dead)).length).toBeGreaterThan(before + 2));
  expect([site.of(dead), it.runner.status().spared]).toEqual([5, 1]);
  expect(await told(alive)).not.toContainEqual(expect.objectContaining({ unknown: 'unreachable' }));
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 31_000, shouldAdvanceTime: true });
  await vi.waitFor(() => expect(site.of(dead)).toBeGreaterThan(asked));
});

test('what tenants share is looked at once for all of them, and who joins is told what was seen', async () => {
  const [one, two, late] = [newTenant(), newTenant(), newTenant()];
  await using site = await web((_, response) => response.writeHead(200).end());
  const probe = mailboxProbe(site.url, {
    targets: () => [{ source: 'shared', params: `${site.url}/shared/x` }],
    asset: (params) => params,
    cadence: () => ({ intervalMs: 60_000, failingMs: 60_000, unknownMs: 60_000 }),
  });
  await using it = running(probe);
  it.runner.watch(configured(one));
  it.runner.watch(configured(two));
  await vi.waitFor(async () => {
    expect(await told(one)).toHaveLength(1);
    expect(await told(two)).toHaveLength(1);
  });
  it.runner.watch(configured(late));
  await vi.waitFor(async () => expect(await told(late)).toHaveLength(1));
  expect(site.asked).toEqual(['/shared/x']);
  expect((await told(late))[0]!.observedAtMs).toBe((await told(one))[0]!.observedAtMs);
});

test('nothing is told of a tenant that left while it was looked at', async () => {
  const [leaver, marker] = [newTenant(), newTenant()];
  const answer = Promise.withResolvers<void>();
  await using site = await web(async (request, response) => {
    if (request.url!.startsWith(`/${leaver}/`)) await answer.promise;
    response.writeHead(200).end();
  });
  await using it = running(mailboxProbe(site.url, { timeoutMs: 5_000 }));
  it.runner.watch(configured(leaver));
  await vi.waitFor(() => expect(site.of(leaver)).toBe(1));
  it.runner.forget(leaver);
  answer.resolve();
  it.runner.watch(configured(marker));
  await vi.waitFor(async () => expect((await told(marker)).length).toBeGreaterThan(1));
  expect(await told(leaver)).toEqual([]);
  expect(it.runner.status().watched).toBe(1);
});

test('a source that is declared anew while it is looked at is looked at as it is now', async () => {
  const tenantId = newTenant();
  const answer = Promise.withResolvers<void>();
  await using site = await web(async (request, response) => {
    if (request.url!.includes('/anna')) await answer.promise;
    response.writeHead(request.url!.includes('/anna') ? 404 : 200).end();
  });
  let path = 'anna';
  const targets = () => [{ source: 'main', params: `${site.url}/${tenantId}/${path}` }];
  await using it = running(mailboxProbe(site.url, { targets, timeoutMs: 5_000 }));
  it.runner.watch(configured(tenantId));
  await vi.waitFor(() => expect(site.of(tenantId)).toBe(1));
  path = 'ben';
  it.runner.watch(configured(tenantId));
  answer.resolve();
  await vi.waitFor(async () => expect((await told(tenantId)).length).toBeGreaterThan(1));
  expect(await told(tenantId)).not.toContainEqual(expect.objectContaining({ value: false }));
});

test('a hint brings the next look forward', async () => {
  const tenantId = newTenant();
  await using site = await web((_, response) => response.writeHead(200).end());
  const cadence = () => ({ intervalMs: 600_000, failingMs: 600_000, unknownMs: 600_000 });
  await using it = running(mailboxProbe(site.url, { cadence }));
  it.runner.watch(configured(tenantId));
  await vi.waitFor(async () => expect(await told(tenantId)).toHaveLength(1));
  it.runner.hint(`${tenantId}/nobody`);
  it.runner.hint(`${tenantId}/anna`);
  await vi.waitFor(async () => expect(await told(tenantId)).toHaveLength(2));
  expect(site.of(tenantId)).toBe(2);
});

test('a hint while it is looked at is not lost: what is under way may have missed why', async () => {
  const tenantId = newTenant();
  const answer = Promise.withResolvers<void>();
  await using site = await web(async (_, response) => {
    await answer.promise;
    response.writeHead(200).end();
  });
  const cadence = () => ({ intervalMs: 600_000, failingMs: 600_000, unknownMs: 600_000 });
  await using it = running(mailboxProbe(site.url, { cadence }));
  it.runner.watch(configured(tenantId));
  await vi.waitFor(() => expect(site.of(tenantId)).toBe(1));
  it.runner.hint(`${tenantId}/anna`);
  // Due at once, and passed over: it is being looked at.
  await new Promise((resolve) => setTimeout(resolve, 50));
  answer.resolve();
  await vi.waitFor(async () => expect(await told(tenantId)).toHaveLength(2));
});

test('who shares a look is told of it, also when the one it was begun for left meanwhile', async () => {
  const [leaver, stayer] = [newTenant(), newTenant()];
  const answer = Promise.withResolvers<void>();
  await using site = await web(async (_, response) => {
    await answer.promise;
    response.writeHead(200).end();
  });
  const targets = () => [{ source: 'shared', params: `${site.url}/shared/x` }];
  await using it = running(mailboxProbe(site.url, { targets, asset: (params) => params }));
  it.runner.watch(configured(leaver));
  it.runner.watch(configured(stayer));
  await vi.waitFor(() => expect(site.asked).toHaveLength(1));
  it.runner.forget(leaver);
  answer.resolve();
  await vi.waitFor(async () => expect((await told(stayer)).length).toBeGreaterThan(0));
  expect(await told(leaver)).toEqual([]);
});

test('a look that is under way when the service stops may end', async () => {
  const tenantId = newTenant();
  const answer = Promise.withResolvers<void>();
  await using site = await web(async (_, response) => {
    await answer.promise;
    response.writeHead(200).end();
  });
  await using it = running(mailboxProbe(site.url));
  it.runner.watch(configured(tenantId));
  await vi.waitFor(() => expect(site.of(tenantId)).toBe(1));
  const closed = it.runner.close();
  answer.resolve();
  await closed;
  expect(await told(tenantId)).toHaveLength(1);
});
