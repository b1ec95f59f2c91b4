import { partitionOf } from '@orchestrate/canon';
import type { StreamName } from '@orchestrate/contracts';
import { eventually } from '@orchestrate/test-kit';
import { describe, expect, it } from 'vitest';
import { startPlatformFixture } from './platform-fixture.ts';
import {
  configure,
  decided,
  expectSound,
  observe,
  publishCertainly,
  readyTenant,
  rejections,
  request,
  requestMessage,
  tenantConfig,
  truthOf,
} from './tenant-fixture.ts';

const P = partitionOf('acme');
const FOREIGN_P = (P + 1) % 64;

const evidence = (change: object) => ({
  v: '1.0',
  id: crypto.randomUUID(),
  tenantId: 'acme',
  causedBy: null,
  layer: 'billing',
  source: 'main',
  observer: 'nobody',
  facts: [{ fact: 'subscriptionStatus', value: 'canceled', observedAtMs: Date.now() }],
  ...change,
});

const freeze = (change: object) => ({
  v: '1.0',
  id: crypto.randomUUID(),
  tenantId: 'acme',
  causedBy: null,
  command: 'freeze',
  actor: 'mallory',
  reasonCode: 'incident',
  dispatchId: null,
  actionDigest: null,
  target: null,
  atMs: Date.now(),
  ...change,
});

const outcome = (change: object) => ({
  v: '1.0',
  id: crypto.randomUUID(),
  tenantId: 'acme',
  causedBy: null,
  dispatchId: 'd-1',
  state: 'sent',
  sender: 'nobody',
  senderLife: crypto.randomUUID(),
  decisionSeq: 1,
  constraintsDigest: null,
  reason: 'accepted_by_server',
  smtpCode: 250,
  atMs: Date.now(),
  ...change,
});

interface BadInput {
  readonly what: string;
  readonly stream: StreamName;
  readonly subject: string;
  readonly payload: string | object;
  /** Every service that reads it, and the place and the words of an issue. */
  readonly rejectedBy: readonly string[];
  readonly path: string;
  readonly message: RegExp;
}

const LAYERS = ['layer-runtime'];
const GOVERNANCE = ['dispatch-governance'];
const BOTH = ['dispatch-governance', 'layer-runtime'];
const onEvidence = { stream: 'EVIDENCE', subject: 'evidence.acme.billing.main', rejectedBy: LAYERS } as const;

const BAD_INPUTS: readonly BadInput[] = [
  { what: 'malformed JSON', ...onEvidence, payload: '{"v":"1.0",', path: '', message: /not JSON/ },
  { what: 'bytes that are no text', ...onEvidence, payload: '\u0000', path: '', message: /not JSON/ },
  {
    what: 'an unknown layer',
    stream: 'EVIDENCE',
    subject: 'evidence.acme.weather.main',
    payload: evidence({ layer: 'weather' }),
    rejectedBy: LAYERS,
    path: 'layer',
    message: /billing/,
  },
  { what: 'an unknown key', ...onEvidence, payload: evidence({ mood: 'good' }), path: '', message: /mood/ },
  {
    what: 'a value outside its words',
    ...onEvidence,
    payload: evidence({ facts: [{ fact: 'subscriptionStatus', value: 'golden', observedAtMs: 1 }] }),
    path: 'facts.0.subscriptionStatus',
    message: /takes one of active, (?!.*golden)/,
  },
  {
    what: 'evidence about somebody else than its subject',
    ...onEvidence,
    payload: evidence({ tenantId: 'birch' }),
    path: 'tenantId',
    message: /birch.*came on evidence\.\d+\.acme/,
  },
  {
    what: 'an id with a star',
    stream: 'REQUESTS',
    subject: 'dispatch.acme.d-star',
    payload: { ...requestMessage('acme', 1), dispatchId: 'd-*' },
    rejectedBy: GOVERNANCE,
    path: 'dispatchId',
    message: /no dot, star or space/,
  },
  {
    what: 'a request for another dispatch than its subject',
    stream: 'REQUESTS',
    subject: 'dispatch.acme.d-other',
    payload: requestMessage('acme', 77),
    rejectedBy: GOVERNANCE,
    path: 'tenantId',
    message: /d-77.*d-other/,
  },
  {
    what: 'a configuration that is no configuration',
    stream: 'CONFIG',
    subject: 'config.acme.tenant',
    payload: '{',
    rejectedBy: BOTH,
    path: '',
    message: /not JSON/,
  },
  {
    what: 'a configuration of somebody else',
    stream: 'CONFIG',
    subject: 'config.acme.tenant',
    payload: tenantConfig('birch', { capPerDay: 1_000 }),
    rejectedBy: BOTH,
    path: 'tenantId',
    message: /birch/,
  },
  {
    what: 'a command for a tenant of another partition',
    stream: 'OPERATOR',
    subject: `operator.${FOREIGN_P}.acme.freeze`,
    payload: freeze({}),
    rejectedBy: BOTH,
    path: 'tenantId',
    message: new RegExp(`operator\\.${P}\\.acme\\.freeze.*operator\\.${FOREIGN_P}`),
  },
  {
    what: 'a command that says another thing than its subject',
    stream: 'OPERATOR',
    subject: `operator.${P}.acme.unfreeze`,
    payload: freeze({}),
    rejectedBy: BOTH,
    path: 'tenantId',
    message: /freeze.*unfreeze/,
  },
  {
    what: 'an outcome of another dispatch than its subject',
    stream: 'OUTCOMES',
    subject: `outcome.${P}.acme.d-1`,
    payload: outcome({ dispatchId: 'd-2' }),
    rejectedBy: GOVERNANCE,
    path: 'tenantId',
    message: /d-2.*d-1/,
  },
  {
    what: 'an outcome of what was never released',
    stream: 'OUTCOMES',
    subject: `outcome.${P}.acme.d-99`,
    payload: outcome({ dispatchId: 'd-99' }),
    rejectedBy: GOVERNANCE,
    path: '',
    message: /no release of `d-99`/,
  },
];

describe('what breaks its contract', () => {
  it('is kept with the place that is wrong, changes nothing, and keeps nobody from starting again [A16]', async () => {
    await using fixture = await startPlatformFixture({
      services: [{ name: 'layer-runtime' }, { name: 'truth-aggregator' }, { name: 'dispatch-governance' }],
    });
    const { broker, platform } = fixture;
    await Promise.all(['acme', 'birch'].map((tenantId) => readyTenant(broker, tenantId, { capPerDay: 2 })));
    await request(broker, 'acme', 1);
    await decided(broker, 'acme', 1, { kind: 'APPROVE' });
    const before = await truthOf(broker, 'acme');

    const places: (BadInput & { seq: number })[] = [];
    for (const bad of BAD_INPUTS) {
      const data = Buffer.from(typeof bad.payload === 'string' ? bad.payload : JSON.stringify(bad.payload));
      places.push({ ...bad, seq: await publishCertainly(broker, bad.subject, data) });
    }
    const wanted = BAD_INPUTS.reduce((sum, bad) => sum + bad.rejectedBy.length, 0);
    const found = await eventually('all are rejected', async () => {
      const rejected = await rejections(broker);
      return rejected.length >= wanted && rejected;
    });
    expect(found).toHaveLength(wanted);
    for (const { what, stream, seq, rejectedBy, path, message } of places) {
      const about = found.filter((one) => one.stream === stream && one.seq === seq);
      expect([what, ...about.map((one) => one.service).toSorted()]).toEqual([what, ...rejectedBy]);
      for (const { reason, issues } of about) {
        expect([what, reason]).toEqual([what, 'contract_violation']);
        const named = issues.some((issue) => issue.path === path && message.test(issue.message));
        expect([what, issues, named]).toEqual([what, issues, true]);
      }
    }
    expect((await truthOf(broker, 'acme'))?.fingerprint).toBe(before?.fingerprint);

    await request(broker, 'birch', 1);
    await decided(broker, 'birch', 1, { kind: 'APPROVE' });
    // The newest configuration of acme is garbage now: a restart must find the one before it.
    for (const name of ['layer-runtime', 'truth-aggregator', 'dispatch-governance']) {
      await platform.supervisor.kill(`${name}-1`);
    }
    await request(broker, 'acme', 2);
    await decided(broker, 'acme', 2, { kind: 'APPROVE' });
    await request(broker, 'acme', 3);
    await decided(broker, 'acme', 3, { decidingOutcome: 'cap_reached' });
    await configure(broker, 'acme', { capPerDay: 3 });
    await decided(broker, 'acme', 3, { kind: 'APPROVE' });
    await observe(broker, 'acme', 'billing', 'main', { subscriptionStatus: 'canceled' });
    await eventually('evidence still counts', async () => {
      return (await truthOf(broker, 'acme'))?.layers.billing.state === 'client_action';
    });
    await expectSound(broker, 'acme', { requests: 3, capPerDay: 3 });
    expect(await rejections(broker)).toHaveLength(wanted);
  });
});
