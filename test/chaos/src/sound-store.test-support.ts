import { randomUUID } from 'node:crypto';
import {
  buildTruth,
  type CanonicalRuntimeTruth,
  digestOfBytes,
  type LayerCondition,
  partitionOf,
  policyDigestOf,
} from '@orchestrate/canon';
import { GENESIS_HASH, STREAM_NAMES, type StreamName, VERSION } from '@orchestrate/contracts';
import { decision } from '@orchestrate/test-kit';
import { gaplessPolicy } from './fleet.ts';
import { Journal, type Operation } from './journal.ts';
import type { Kept, StoreContents } from './store-contents.ts';
import {
  commandMessage,
  configMessage,
  evidenceMessage,
  garbageMessage,
  type Outgoing,
  requestMessage,
  sentMessage,
} from './tenant.ts';

export const TENANT = 'acme';
export const P = partitionOf(TENANT);
export const CAP = 2;
export const POLICY = gaplessPolicy();
const DAY = '2026-03-02';
const NOW = Date.parse(`${DAY}T12:00:00Z`);

/** A store of one tenant in which all is in order, made by hand, so that something can be broken in it. */
export class SoundStore {
  readonly journal = new Journal();
  readonly streams = Object.fromEntries(STREAM_NAMES.map((name) => [name, []])) as unknown as Record<
    StreamName,
    Kept[]
  >;

  get operations(): readonly Operation[] {
    return this.journal.operations();
  }

  get contents(): StoreContents {
    return this.streams;
  }

  put(stream: StreamName, subject: string, message: object | Uint8Array, seq?: number): number {
    const kept = this.streams[stream];
    const data = message instanceof Uint8Array ? message : Buffer.from(JSON.stringify(message));
    const next = seq ?? (kept.at(-1)?.seq ?? 0) + 1;
    kept.push({ subject, seq: next, storedAtMs: NOW + next, data });
    return next;
  }

  /** Sent, acknowledged, and stored. */
  send(message: Outgoing): number {
    const op = this.invoke(message);
    const seq = this.put(message.stream, message.storedSubject, message.data);
    this.journal.end(op, { state: 'ok', seq });
    return seq;
  }

  invoke({ kind, stream, storedSubject, data }: Outgoing): number {
    return this.journal.invoke({ kind, stream, subject: storedSubject, digest: digestOfBytes(data) });
  }

  /** The next record of the tenant's chain. */
  record(kind: string, fields: object): number {
    const chain = this.streams.DECISIONS;
    const before = chain.at(-1);
    return this.put('DECISIONS', `decision.${P}.${TENANT}.${kind}`, {
      ...fields,
      kind,
      tenantId: TENANT,
      ordinal: chain.length + 1,
      prevSeq: before?.seq ?? 0,
      prevHash: before ? digestOfBytes(before.data) : GENESIS_HASH,
    });
  }

  decided(n: number, requestSeq: number, fields: Partial<ReturnType<typeof decision>>): number {
    const told = decision({
      tenantId: TENANT,
      dispatchId: `d-${n}`,
      requestSeq,
      attempt: 1,
      ...fields,
    });
    return this.record(told.kind, told);
  }

  /** The one message on a subject that fits, with one thing changed in it. */
  edit(stream: StreamName, seq: number, change: (message: Readonly<Record<string, object>>) => object): void {
    const at = this.streams[stream].findIndex((kept) => kept.seq === seq);
    const kept = this.streams[stream][at]!;
    const message = JSON.parse(Buffer.from(kept.data).toString());
    this.streams[stream][at] = {
      ...kept,
      data: Buffer.from(JSON.stringify({ ...message, ...change(message) })),
    };
  }

  drop(stream: StreamName, seq: number): void {
    this.streams[stream] = this.streams[stream].filter((kept) => kept.seq !== seq);
  }
}

export const slot = (ordinal: number) => ({ mailbox: 'anna', day: DAY, ordinal });

const condition = (
  layer: string,
  source: string,
  facts: Readonly<Record<string, unknown>>,
  inputs: { EVIDENCE: number; CONFIG: number; OPERATOR: number },
  holds: readonly string[] = [],
) => ({
  v: VERSION,
  id: randomUUID(),
  causedBy: null,
  tenantId: TENANT,
  layer,
  source,
  enabled: true,
  state: 'ready',
  bucket: 'ready',
  owner: 'orchestrate',
  reason: 'ok',
  facts: Object.entries(facts).map(([fact, value]) => ({
    fact,
    value,
    verdict: 'pass',
    severity: 'none',
    reason: 'ok',
  })),
  causes: {
    holds: Object.fromEntries(holds.map((cause) => [cause, { sinceMs: NOW }])),
    faults: {},
    cooldowns: {},
    requalifications: {},
    graces: {},
    closures: {},
    latched: {},
    setup: null,
    lease: null,
    requalificationOwed: null,
    attention: false,
  },
  risks: [],
  validUntilMs: null,
  inputs,
  at: NOW,
});

const mark = (inputs: Partial<Record<StreamName, number>>, asOfMs = NOW) => ({
  v: VERSION,
  id: randomUUID(),
  p: P,
  asOfMs,
  inputs,
  tenants: 1,
  changed: 0,
  instance: 'one',
});

const layerSubject = (layer: string, source: string) => `layer.${P}.${TENANT}.${layer}.${source}`;

export function truthOf(
  conditions: readonly object[],
  inputSeq: number,
  previous: CanonicalRuntimeTruth | null,
) {
  const truth = buildTruth({
    tenantId: TENANT,
    conditions: conditions.map((one) => {
      const {
        v: _v,
        id: _id,
        causedBy: _causedBy,
        inputs: _inputs,
        at: _at,
        ...rest
      } = one as Record<string, unknown>;
      return rest as unknown as LayerCondition;
    }),
    policy: POLICY,
    policyDigest: policyDigestOf(POLICY),
    previous,
    atMs: NOW,
  });
  return { truth, message: { v: VERSION, id: randomUUID(), causedBy: null, ...truth, inputSeq } };
}

/** Evidence, a hold and a freeze, three requests of which two went out, and something that nobody understood. */
export function soundStore(): SoundStore {
  const store = new SoundStore();
  store.send(configMessage(TENANT, CAP));
  store.send(evidenceMessage(TENANT, 'sending_domain', 'main', { spf: 'pass' }));
  store.send(evidenceMessage(TENANT, 'sending_domain', 'main', { spf: 'fail' }));
  const torn = garbageMessage(evidenceMessage(TENANT, 'sending_domain', 'main', { spf: 'none' }));
  const tornSeq = store.send(torn);
  store.put('REJECTED', 'rejected.EVIDENCE.contract_violation', {
    stream: 'EVIDENCE',
    seq: tornSeq,
    reason: 'contract_violation',
    service: 'layer-runtime',
    payloadDigest: digestOfBytes(torn.data),
    issues: [],
  });
  store.send(commandMessage(TENANT, 'freeze'));
  const target = { layer: 'sending_domain', source: 'main', cause: 'chaos' } as const;
  store.send(commandMessage(TENANT, 'hold_layer', { target: target }));

  const inputs = (EVIDENCE: number, OPERATOR: number) => ({ EVIDENCE, CONFIG: 1, OPERATOR });
  const first = condition('sending_domain', 'main', { spf: 'pass' }, inputs(1, 0));
  const second = condition('sending_domain', 'main', { spf: 'fail' }, inputs(2, 2), ['chaos']);
  const governance = condition('governance', 'main', { freeze: true }, inputs(0, 1));
  store.put('LAYERS', layerSubject('sending_domain', 'main'), first);
  store.put('LAYERS', `layer.${P}`, mark({ EVIDENCE: 1, CONFIG: 1, OPERATOR: 0 }));
  store.put('LAYERS', layerSubject('sending_domain', 'main'), second);
  store.put('LAYERS', layerSubject('governance', 'main'), governance);
  store.put('LAYERS', `layer.${P}`, mark({ EVIDENCE: tornSeq, CONFIG: 1, OPERATOR: 2 }, NOW + 1));

  const before = truthOf([first], 1, null);
  const after = truthOf([second, governance], 4, before.truth);
  store.put('TRUTH', `truth.${P}.${TENANT}`, before.message);
  store.put('TRUTH', `truth.${P}.${TENANT}`, after.message);
  store.put('TRUTH', `truth.${P}`, mark({ LAYERS: 5 }));

  const requests = [1, 2, 3].map((n) => store.send(requestMessage(TENANT, n)));
  const release = store.decided(1, requests[0]!, { kind: 'APPROVE', reserved: slot(1) });
  store.decided(2, requests[1]!, { kind: 'HOLD_FOR_CONTEXT' });
  store.record('INTERVENTION', { command: 'freeze', commandSeq: 1 });
  store.record('INTERVENTION', { command: 'hold_layer', commandSeq: 2 });
  const sent = decision({ tenantId: TENANT, dispatchId: 'd-1' });
  const outcomeSeq = store.send(sentMessage(sent, release));
  store.record('OUTCOME', { dispatchId: 'd-1', outcomeSeq });
  store.decided(2, requests[1]!, {
    kind: 'APPROVE',
    attempt: 2,
    reserved: slot(2),
    approvalId: 'a-9',
  });
  store.decided(3, requests[2]!, { kind: 'BLOCK' });
  store.put('LEDGER', `ledger.${P}`, mark({ REQUESTS: 3, OPERATOR: 2, OUTCOMES: 1, CONFIG: 1, TRUTH: 2 }));
  return store;
}
