import { hash, randomUUID } from 'node:crypto';
import {
  decisionRecorded,
  GENESIS_HASH,
  type InterventionRecorded,
  interventionRecorded,
  ledgerSaved,
  type OutcomeRecorded,
  touchesSaved,
  VERSION,
} from '@orchestrate/contracts';
import { decision } from '@orchestrate/test-kit';
import { describe, expect, test } from 'vitest';
import { holdOf, TenantLedger } from './tenant-ledger.ts';

const BYTES = Buffer.from('{}');

/** A ledger after these interventions, in this order. */
function ledgerAfter(...acts: readonly Partial<InterventionRecorded>[]): TenantLedger {
  const ledger = new TenantLedger('acme');
  for (const [at, act] of acts.entries()) ledger.apply(intervention(at + 1, act), at + 1, BYTES);
  return ledger;
}

function intervention(ordinal: number, act: Partial<InterventionRecorded>): InterventionRecorded {
  return {
    v: VERSION,
    id: randomUUID(),
    tenantId: 'acme',
    causedBy: `OPERATOR/${ordinal}`,
    ordinal,
    prevSeq: ordinal - 1,
    prevHash: GENESIS_HASH,
    codeVersion: '0.1.0',
    kind: 'INTERVENTION',
    command: 'freeze',
    commandSeq: ordinal,
    actor: 'olga',
    reasonCode: 'incident',
    dispatchId: null,
    target: null,
    scope: 'tenant',
    recordedAtMs: 1,
    ...act,
  };
}

/** A ledger's state as it was saved before it knew of freezes and of leaving. */
const OLD_STATE = {
  v: VERSION,
  id: randomUUID(),
  tenantId: 'acme',
  causedBy: null,
  chainSeq: 7,
  chainHash: GENESIS_HASH,
  ordinal: 3,
  lastRequestSeq: 5,
  lastCommandSeq: 0,
  lastOutcomeSeq: 0,
  mailboxes: {},
  domains: {},
  approvals: {},
};

const freezesOf = ({ freezes }: TenantLedger) => [...freezes].sort();
const OWN = { command: 'freeze' } as const;
const ALL = { command: 'freeze', scope: 'all' } as const;
const OWN_LIFTED = { command: 'unfreeze' } as const;
const ALL_LIFTED = { command: 'unfreeze', scope: 'all' } as const;

describe('freezes in the ledger', () => {
  test('stand from their record on, each until its own end [G31]', () => {
    expect(freezesOf(ledgerAfter())).toEqual([]);
    expect(freezesOf(ledgerAfter(OWN, ALL))).toEqual(['freeze', 'freeze_all']);
    expect(freezesOf(ledgerAfter(OWN, ALL, ALL_LIFTED))).toEqual(['freeze']);
    expect(freezesOf(ledgerAfter(ALL, OWN, OWN_LIFTED))).toEqual(['freeze_all']);
    expect(freezesOf(ledgerAfter(OWN, OWN, ALL, ALL_LIFTED, OWN_LIFTED))).toEqual([]);
  });

  test('are not touched by other acts', () => {
    const others = ['approve', 'reject', 'hold_layer', 'release_layer'] as const;
    expect(freezesOf(ledgerAfter(OWN, ...others.map((command) => ({ command }))))).toEqual(['freeze']);
    expect(freezesOf(ledgerAfter(...others.map((command) => ({ command }))))).toEqual([]);
  });

  test('a record that does not say whom it was for neither begins nor ends one', () => {
    expect(freezesOf(ledgerAfter({ ...OWN, scope: null }))).toEqual([]);
    expect(freezesOf(ledgerAfter(OWN, ALL, { ...OWN_LIFTED, scope: null }))).toEqual([
      'freeze',
      'freeze_all',
    ]);
  });

  test('a record that is read again after a take-over does not bring an ended one back [G31]', () => {
    const ledger = ledgerAfter(OWN, OWN_LIFTED);
    ledger.apply(intervention(1, OWN), 1, BYTES);
    expect(freezesOf(ledger)).toEqual([]);
  });
});

describe('the recipients of a tenant', () => {
  const keyOf = (n: number) => hash('sha256', `recipient ${n}`);
  const releases = (from: number, to: number, ledger: TenantLedger) => {
    for (let n = from; n <= to; n++) {
      const asked = decision({ dispatchId: `d-${n}`, ordinal: n, decidedAtMs: n });
      const released = {
        ...asked,
        action: { ...asked.action, recipientKey: keyOf(n) },
        reserved: { mailbox: 'sales', day: '2026-03-02', ordinal: n },
      };
      ledger.apply(released, n, BYTES);
    }
  };
  /** What would be written of the changed buckets now. */
  const saved = (ledger: TenantLedger) => {
    const buckets = [...ledger.dirty.buckets].map((bucket) => {
      const touches = [...ledger.touches].filter(([key]) => ledger.bucketOf(key) === bucket);
      const { chainSeq } = ledger.chain;
      return [
        bucket,
        touchesSaved.lenient.parse({ ...OLD_STATE, chainSeq, touches: Object.fromEntries(touches) }),
      ] as const;
    });
    ledger.dirty.buckets.clear();
    return buckets;
  };

  test('are saved together while they are few, and apart when they are many', () => {
    const ledger = new TenantLedger('acme');
    releases(1, 256, ledger);
    expect([...ledger.dirty.buckets]).toEqual(['all']);
    ledger.dirty.buckets.clear();
    releases(257, 257, ledger);
    expect([...ledger.dirty.buckets].sort()).toEqual([...'0123456789abcdef']);
    ledger.dirty.buckets.clear();
    releases(258, 258, ledger);
    expect([...ledger.dirty.buckets]).toEqual([keyOf(258)[0]]);
    releases(259, 4_097, ledger);
    expect(ledger.dirty.buckets.size).toBe(256);
  });

  test('are restored from whatever was saved of them, in any order, when it was not saved to the end', () => {
    const ledger = new TenantLedger('acme');
    releases(1, 256, ledger);
    const together = saved(ledger);
    releases(257, 300, ledger);
    // A process died when some of the smaller buckets were written.
    const apart = saved(ledger).filter(([bucket]) => bucket < '8');
    for (const buckets of [
      [...together, ...apart],
      [...apart, ...together],
    ]) {
      const restored = new TenantLedger('acme');
      for (const [bucket, touches] of buckets) restored.restoreTouches(bucket, touches);
      releases(1, 300, restored);
      expect(Object.fromEntries(restored.touches)).toEqual(Object.fromEntries(ledger.touches));
      for (let n = 1; n <= 300; n++) expect(restored.awaited(`d-${n}`)?.recipientKey).toBe(keyOf(n));
    }
  });
});

describe('a tenant that leaves', () => {
  const release = (n: number, recipientKey: string) => {
    const asked = decision();
    return {
      ...asked,
      ordinal: n,
      dispatchId: `d-${n}`,
      action: { ...asked.action, recipientKey },
      reserved: { mailbox: 'sales', day: '2026-03-02', ordinal: n },
    };
  };
  const outcome = (n: number, dispatchId: string, recipientKey: string): OutcomeRecorded => {
    const {
      command: _c,
      commandSeq: _s,
      actor: _a,
      reasonCode: _r,
      target: _t,
      scope: _o,
      ...head
    } = intervention(n, {});
    const state = { state: 'sent', reason: 'accepted_by_server', echo: 'none_required' } as const;
    return { ...head, kind: 'OUTCOME', dispatchId, recipientKey, outcomeSeq: n, ...state };
  };
  const [SETTLED, AWAITED] = ['1'.repeat(64), '2'.repeat(64)];

  /** Two releases, the outcome of the first, and the record that the tenant leaves. */
  function leaving(): TenantLedger {
    const ledger = new TenantLedger('acme');
    ledger.apply(release(1, SETTLED), 1, BYTES);
    ledger.apply(release(2, AWAITED), 2, BYTES);
    ledger.apply(outcome(3, 'd-1', SETTLED), 3, BYTES);
    expect(ledger.isOffboarded).toBe(false);
    ledger.apply(intervention(4, { command: 'offboard' }), 4, BYTES);
    return ledger;
  }

  test('is stopped by the record, and forgets its recipients when it is gone', () => {
    const ledger = leaving();
    expect(ledger).toMatchObject({ isOffboarded: true, hasLeft: false, isForgotten: false });
    expect([...ledger.touches.keys()]).toEqual([SETTLED, AWAITED]);
    ledger.leave();
    expect(ledger).toMatchObject({ isOffboarded: true, hasLeft: true, isForgotten: true });
    expect([...ledger.touches.keys()]).toEqual([AWAITED]);
    expect(ledger.awaited('d-2')?.recipientKey).toBe(AWAITED);
    ledger.apply(outcome(5, 'd-2', AWAITED), 5, BYTES);
    expect([...ledger.touches.keys()]).toEqual([]);
    expect(ledger.chain).toMatchObject({ chainSeq: 5, ordinal: 5 });
  });

  test('is not forgotten while a hold of it is open', () => {
    const ledger = leaving();
    const held = { ...decision(), ordinal: 5, kind: 'HOLD_FOR_CONTEXT', dispatchId: 'd-5' } as const;
    ledger.apply(held, 5, BYTES);
    ledger.leave();
    expect(ledger.isForgotten).toBe(false);
    ledger.apply({ ...held, ordinal: 6, kind: 'BLOCK' }, 6, BYTES);
    expect(ledger.isForgotten).toBe(true);
  });

  test('is restored without what was saved of it before it left, in any order', () => {
    const ledger = leaving();
    const before = { ...OLD_STATE, chainSeq: 4, touches: Object.fromEntries(ledger.touches) };
    ledger.leave();
    const awaited = Object.fromEntries(ledger.touches);
    const state = ledgerSaved.lenient.parse({ ...OLD_STATE, chainSeq: 4, offboarded: true, awaited });
    const hold = holdOf({ ...decision(), kind: 'HOLD_FOR_CONTEXT' }, 1);
    for (const stateFirst of [true, false]) {
      const restored = new TenantLedger('acme');
      if (stateFirst) restored.restoreState(state);
      restored.restoreTouches('11', touchesSaved.lenient.parse(before));
      restored.restoreHold(hold);
      if (!stateFirst) restored.restoreState(state);
      expect(restored).toMatchObject({ isOffboarded: true, isForgotten: true });
      expect([...restored.touches.keys()]).toEqual([AWAITED]);
      expect([restored.awaited('d-1'), restored.awaited('d-2')?.recipientKey]).toEqual([undefined, AWAITED]);
    }
  });

  test('was here when it was saved before tenants could leave', () => {
    const ledger = new TenantLedger('acme');
    ledger.restoreState(ledgerSaved.lenient.parse(OLD_STATE));
    expect(ledger).toMatchObject({ isOffboarded: false, hasLeft: false });
  });
});

describe('what was written before freezes were folded', () => {
  const { scope: _scope, ...oldIntervention } = intervention(1, OWN);
  const { freezes: _freezes, ...oldDecision } = decision();

  test('is still read', () => {
    expect(interventionRecorded.lenient.parse(oldIntervention)).toMatchObject({ scope: null });
    expect(decisionRecorded.lenient.parse(oldDecision)).toMatchObject({ freezes: [] });
    const ledger = new TenantLedger('acme');
    ledger.restoreState(ledgerSaved.lenient.parse(OLD_STATE));
    expect(ledger.chain).toMatchObject({ chainSeq: 7, ordinal: 3 });
    expect(freezesOf(ledger)).toEqual([]);
  });

  test('a saved freeze is restored', () => {
    const ledger = new TenantLedger('acme');
    ledger.restoreState(ledgerSaved.lenient.parse({ ...OLD_STATE, freezes: ['freeze_all'] }));
    expect(freezesOf(ledger)).toEqual(['freeze_all']);
  });
});
