import { type DecisionRecorded, decisionRecorded } from '@orchestrate/contracts';
import { ContractViolation, encode } from '@orchestrate/messaging';
import { decision } from '@orchestrate/test-kit';
import { describe, expect, test } from 'vitest';
import { DecisionEncoder } from './encode-decision.ts';

const RECORD = decision() as DecisionRecorded;

/** An encoder that has seen the words of the record. */
function acquainted(): DecisionEncoder {
  const encoder = new DecisionEncoder();
  encoder.encode(RECORD);
  return encoder;
}

test('a decision has the same bytes whether or not its words were seen before', () => {
  const encoder = acquainted();
  for (let n = 1; n < 200; n++) {
    const record = { ...RECORD, ordinal: n, prevSeq: n - 1, dispatchId: `d-${n}` };
    expect(Buffer.from(encoder.encode(record))).toEqual(Buffer.from(encode(decisionRecorded, record)));
  }
});

describe('what its contract does not allow does not leave, although most of it was seen before', () => {
  const [gate] = RECORD.gates;
  const broken: Readonly<Record<string, Partial<Record<keyof DecisionRecorded, unknown>>>> = {
    'a kind': { kind: 'MAYBE' },
    'an outcome of another gate': { gates: [{ ...gate, outcome: 'cap_reached' }, ...RECORD.gates.slice(1)] },
    'nine gates': { gates: RECORD.gates.slice(1) },
    'a missing answer': { rationale: RECORD.rationale.slice(1) },
    'an unknown key': { mood: 'good' } as never,
    'a time that is none': { decidedAtMs: -1 },
    'a sequence with a fraction': { requestSeq: 1.5 },
    'no ordinal': { ordinal: 0 },
    'a share above one': {
      reservation: { ...RECORD.reservation, headroom: { ...RECORD.reservation.headroom, best: 1.2 } },
    },
    'a standing of the recipient': { recipient: { ...RECORD.recipient, suppression: 'maybe' } },
    'a lane': { lane: 'fast' },
  };
  test.each(Object.entries(broken))('%s', (_what, change) => {
    const encoder = acquainted();
    for (let tries = 0; tries < 3; tries++) {
      const attempt = () => encoder.encode({ ...RECORD, ...change } as DecisionRecorded);
      expect(attempt).toThrow(ContractViolation);
    }
  });
});

test('one in 64 is checked all the same', () => {
  const encoder = acquainted();
  const wrong = { ...RECORD, prevHash: 'not a digest' } as DecisionRecorded;
  let refused = 0;
  for (let n = 0; n < 640; n++) {
    try {
      encoder.encode(wrong);
    } catch {
      refused++;
    }
  }
  expect(refused).toBe(10);
});
