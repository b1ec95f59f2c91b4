import { randomUUID } from 'node:crypto';
import {
  decisionRecorded,
  GENESIS_HASH,
  type InterventionRecorded,
  interventionRecorded,
  ledgerSaved,
  VERSION,
} from '@orchestrate/contracts';
import { decision } from '@orchestrate/test-kit';
import { describe, expect, test } from 'vitest';
import { TenantLedger } from './tenant-ledger.ts';

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

const freezesOf = ({ freezes }: TenantLedger) => [...freezes].sort();
const OWN = { command: 'freeze' } as const;
const ALL = { command: 'freeze', scope: 'all' } as const;
const OWN_LIFTED = { command: 'unfreeze' } as const;
const ALL_LIFTED = { command: 'unfreeze', scope: 'all' } as const;

describe('freezes in the ledger', () => {
  test('stand from their record on, each until its own end', () => {
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

  test('a record that is read again after a take-over does not bring an ended one back', () => {
    const ledger = ledgerAfter(OWN, OWN_LIFTED);
    ledger.apply(intervention(1, OWN), 1, BYTES);
    expect(freezesOf(ledger)).toEqual([]);
  });
});

describe('what was written before freezes were folded', () => {
  const { scope: _scope, ...oldIntervention } = intervention(1, OWN);
  const { freezes: _freezes, ...oldDecision } = decision();
  const oldState = {
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

  test('is still read', () => {
    expect(interventionRecorded.lenient.parse(oldIntervention)).toMatchObject({ scope: null });
    expect(decisionRecorded.lenient.parse(oldDecision)).toMatchObject({ freezes: [] });
    const ledger = new TenantLedger('acme');
    ledger.restoreState(ledgerSaved.lenient.parse(oldState));
    expect(ledger.chain).toMatchObject({ chainSeq: 7, ordinal: 3 });
    expect(freezesOf(ledger)).toEqual([]);
  });

  test('a saved freeze is restored', () => {
    const ledger = new TenantLedger('acme');
    ledger.restoreState(ledgerSaved.lenient.parse({ ...oldState, freezes: ['freeze_all'] }));
    expect(freezesOf(ledger)).toEqual(['freeze_all']);
  });
});
