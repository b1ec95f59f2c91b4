import { decisionRecorded, outcomeRecorded, VERSION } from '@orchestrate/contracts';
import { decision } from '@orchestrate/test-kit';
import { describe, expect, test } from 'vitest';
import { ContractViolation, decodeLenient, decodeStrict, encode, UnsupportedVersion } from './codec.ts';

const DIGEST = 'a'.repeat(64);
const record = {
  v: VERSION,
  id: '2f1d7a53-9c1e-4b60-8f5a-0d4f6b8f1c22',
  tenantId: 'acme',
  causedBy: 'OUTCOMES/3',
  ordinal: 2,
  prevSeq: 1,
  prevHash: DIGEST,
  codeVersion: '0.1.0',
  kind: 'OUTCOME' as const,
  dispatchId: 'd-1',
  recipientKey: DIGEST,
  outcomeSeq: 3,
  state: 'sent' as const,
  reason: 'accepted_by_server' as const,
  echo: 'matches' as const,
  recordedAtMs: 1_772_445_600_000,
};
const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

function thrown(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('a record of the audit', () => {
  test('is written as the bytes of what was said', () => {
    const data = encode(outcomeRecorded, record);
    expect(data).toEqual(bytesOf(record));
    expect(decodeStrict(outcomeRecorded, data)).toEqual(record);
  });

  test('reads the same whether or not its parts were written before', () => {
    const first = decision();
    const second = { ...decision({ dispatchId: 'd-2' }), gates: first.gates, rationale: first.rationale };
    const rewritten = { ...second, gates: [{ ...first.gates[0]!, faulted: true }, ...first.gates.slice(1)] };
    for (const one of [first, second, first, rewritten]) {
      expect(decodeStrict(decisionRecorded, encode(decisionRecorded, one))).toEqual(one);
    }
  });

  test('with one word more is not written, and the word is not told [A5]', () => {
    const secret = 'ann.smith@example.com';
    const said = { ...record, note: secret, [secret]: 1 };
    const error = thrown(() => encode(outcomeRecorded, said));
    expect(error).toBeInstanceOf(ContractViolation);
    expect((error as ContractViolation).issues).toEqual([
      { path: '', message: 'not known here: `note`, 1 that could be no field' },
    ]);
    expect(String(error)).not.toContain(secret);
    expect(JSON.stringify(error)).not.toContain(secret);
  });

  test('of a later minor version is read without what it adds, inside; an edge refuses it [A5 A6]', () => {
    const later = bytesOf({ ...record, v: '1.7', colour: 'red' });
    expect(decodeLenient(outcomeRecorded, later)).toEqual({ ...record, v: '1.7' });
    expect(() => decodeStrict(outcomeRecorded, later)).toThrow(ContractViolation);
  });

  test.each(['2.0', '2.3', '17.0', '999.0'])('of version %s is not for this code to judge [A8]', (v) => {
    for (const decode of [decodeLenient, decodeStrict]) {
      expect(thrown(() => decode(outcomeRecorded, bytesOf({ v, all: 'new' })))).toBeInstanceOf(
        UnsupportedVersion,
      );
    }
  });

  test.each(['v2.0', '2.0.0', '34600123456.1', '2.0\n', 'eyJh.eyJz'])(
    'whose version reads %j has none, and that is a violation',
    (v) => {
      const error = thrown(() => decodeLenient(outcomeRecorded, bytesOf({ ...record, v })));
      expect(error).toBeInstanceOf(ContractViolation);
      expect(String(error)).not.toContain(v);
    },
  );

  test('of bytes that are no JSON is told by the place where it ends to be JSON', () => {
    const issuesOf = (text: string) =>
      (thrown(() => decodeLenient(outcomeRecorded, Buffer.from(text))) as ContractViolation).issues;
    expect(issuesOf('{"v":"1.0" "ann@example.com"}')).toEqual([
      { path: '', message: 'not JSON at position 11' },
    ]);
    expect(issuesOf('ann@example.com')).toEqual([{ path: '', message: 'not JSON' }]);
  });
});
