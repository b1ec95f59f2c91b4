import { expect, test } from 'vitest';
import type { z } from 'zod';
import * as contracts from './index.ts';
import { openPlaces } from './schema-walk.test-support.ts';

type Contract = { name: string; stream: string; strict: z.ZodType; subject: (at: never) => string };
const messages = (Object.values(contracts) as unknown[]).filter(isContract);
function isContract(value: unknown): value is Contract {
  return typeof value === 'object' && value !== null && 'subject' in value && 'strict' in value;
}

const at = {
  p: 7,
  tenantId: 'acme',
  layer: 'billing',
  source: 'main',
  dispatchId: 'd-1',
  kind: 'APPROVE',
  command: 'freeze',
  stream: 'EVIDENCE',
  reason: 'not_json',
  recipientKey: 'ab',
  bucket: 'ab',
};
/** Where each message goes, written down once more: a stored subject never changes. */
const SUBJECTS: Record<string, [address: unknown, subject: string]> = {
  'config.tenant': ['acme', 'config.acme.tenant'],
  'config.offboarded': ['acme', 'config.acme.offboarded'],
  'policy.published': ['ab', 'policy.ab'],
  'policy.activated': [null, 'policy.active'],
  'evidence.observed': [at, 'evidence.acme.billing.main'],
  'evidence.heartbeat': [7, 'evidence.7'],
  'layer.condition': [at, 'layer.7.acme.billing.main'],
  'layer.mark': [7, 'layer.7'],
  'truth.recorded': [at, 'truth.7.acme'],
  'truth.mark': [7, 'truth.7'],
  'dispatch.requested': [at, 'dispatch.acme.d-1'],
  'decision.recorded': [at, 'decision.7.acme.APPROVE'],
  'decision.outcome': [at, 'decision.7.acme.OUTCOME'],
  'decision.intervention': [at, 'decision.7.acme.INTERVENTION'],
  'decision.approval': [at, 'decision.7.acme.APPROVAL'],
  'ledger.state': [at, 'ledger.7.acme.state'],
  'ledger.touches': [at, 'ledger.7.acme.touches.ab'],
  'ledger.hold': [at, 'ledger.7.acme.hold.d-1'],
  'ledger.mark': [7, 'ledger.7'],
  'outcome.reported': [at, 'outcome.7.acme.d-1'],
  'operator.command': [at, 'operator.7.acme.freeze'],
  'suppression.listed': [at, 'suppression.7.acme.ab'],
  'rejected.input': [at, 'rejected.EVIDENCE.not_json'],
};

test('every message has a name of its own, a stream that exists, and the subject that it always had [A9]', () => {
  const found = messages.map((message) => [
    message.name,
    message.subject(SUBJECTS[message.name]?.[0] as never),
  ]);
  expect(found.toSorted(byName)).toEqual(
    Object.entries(SUBJECTS)
      .map(([name, [, subject]]) => [name, subject])
      .toSorted(byName),
  );
  for (const message of messages) expect(contracts.STREAM_NAMES).toContain(message.stream);
});

function byName(a: readonly unknown[], b: readonly unknown[]): number {
  return String(a[0]) < String(b[0]) ? -1 : 1;
}

test('no record of the audit, and no message about a tenant, has room for a free word [A2]', () => {
  const walked = messages.map((message) => [message.name, openPlaces(message.strict)]);
  expect(Object.fromEntries(walked.filter(([, open]) => open!.length > 0))).toEqual({
    // Thresholds of the product, about no tenant.
    'policy.published': ['.policy.risk.volumeRatioMax: a number without bounds'],
    // What was rejected is kept as it came, for the person who mends it.
    'rejected.input': [
      '.subject: a text without a pattern',
      '.issues.[].path: a text without a pattern',
      '.issues.[].message: a text without a pattern',
      '.payload: a text in another encoding',
    ],
  });
});
