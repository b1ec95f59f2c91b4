import type { Constraints } from '@orchestrate/canon';
import { decision } from '@orchestrate/test-kit';
import { describe, expect, test } from 'vitest';
import { earliestSendMs, honour, type IntendedSend } from './honour.ts';
import { providerOf } from './recipient-provider.ts';

const NOW = Date.parse('2026-06-01T12:00Z');
const PLAIN: IntendedSend = {
  nowMs: NOW,
  to: 'jo@gmail.com',
  verified: true,
  text: 'Hello Jo, see https://example.org/a and http://example.org/b',
  hasHtml: false,
  attachments: 0,
  openTracking: false,
  clickTracking: false,
  oneClick: true,
  aiGeneration: 'none',
};

function times(overrides: Parameters<typeof decision>[0] = {}) {
  return decision({ decidedAtMs: NOW, notBeforeMs: NOW, validUntilMs: NOW + 1000, ...overrides });
}

function underConstraints(constraints: Constraints, send: Partial<IntendedSend> = {}) {
  const answer = honour(times({ constraints }), { ...PLAIN, ...send });
  return answer.ok ? 'ok' : `${answer.reason}: ${answer.because}`;
}

describe('times [G24]', () => {
  test.each([
    ['before its time', -1, { ok: false, reason: 'constraint_not_honourable', because: 'notBeforeMs' }],
    ['at its time', 0, { ok: true }],
    ['at its last instant', 1000, { ok: true }],
    ['after it', 1001, { ok: false, reason: 'decision_expired', because: 'validUntilMs' }],
  ])('%s', (_, offsetMs, expected) => {
    expect(honour(times(), { ...PLAIN, nowMs: NOW + offsetMs })).toEqual(expected);
  });

  test('a decision without times permits nothing', () => {
    expect(honour(times({ validUntilMs: null }), PLAIN)).toMatchObject({
      ok: false,
      reason: 'decision_expired',
    });
    expect(honour(times({ notBeforeMs: null }), PLAIN)).toMatchObject({ ok: false });
  });

  test('a delay counts from the decision', () => {
    const delayed = times({
      constraints: { sendDelaySec: 600 },
      notBeforeMs: NOW + 5,
      validUntilMs: NOW + 900_000,
    });
    expect(earliestSendMs(delayed)).toBe(NOW + 600_000);
    expect(earliestSendMs(times({ notBeforeMs: NOW + 5 }))).toBe(NOW + 5);
    expect(honour(delayed, { ...PLAIN, nowMs: NOW + 599_999 }).ok).toBe(false);
    expect(honour(delayed, { ...PLAIN, nowMs: NOW + 600_000 }).ok).toBe(true);
  });

  test('constraints that have expired end the permission with them', () => {
    expect(underConstraints({ expiresAtMs: NOW })).toBe('decision_expired: expiresAtMs');
    expect(underConstraints({ expiresAtMs: NOW + 1 })).toBe('ok');
  });
});

test('a decision that does not dispatch is never honoured [G33]', () => {
  for (const kind of ['BLOCK', 'HOLD_FOR_CONTEXT'] as const) {
    expect(earliestSendMs(times({ kind }))).toBeNull();
    expect(honour(times({ kind }), PLAIN)).toMatchObject({ ok: false, because: 'kind' });
  }
});

test('a degraded decision that lost its constraints is not an approval [G24]', () => {
  expect(honour(times({ kind: 'DEGRADE_AND_APPROVE' }), PLAIN)).toMatchObject({
    ok: false,
    because: 'constraints',
  });
});

describe('constraints [G24]', () => {
  test('a field that is not set demands nothing', () => {
    const anything: Partial<IntendedSend> = {
      verified: false,
      hasHtml: true,
      attachments: 3,
      openTracking: true,
      clickTracking: true,
      oneClick: false,
      aiGeneration: 'free',
    };
    expect(underConstraints({}, anything)).toBe('ok');
  });

  test.each<[keyof Constraints, Constraints, Partial<IntendedSend>]>([
    ['verifiedRecipientsOnly', { verifiedRecipientsOnly: true }, { verified: false }],
    ['plainTextOnly', { plainTextOnly: true }, { hasHtml: true }],
    ['openTracking', { openTracking: false }, { openTracking: true }],
    ['clickTracking', { clickTracking: false }, { clickTracking: true }],
    ['attachments', { attachments: false }, { attachments: 1 }],
    ['maxLinks', { maxLinks: 2 }, { text: `${PLAIN.text} HTTPS://example.org/c` }],
    ['requireOneClick', { requireOneClick: true }, { oneClick: false }],
    ['recipientProvidersAllow', { recipientProvidersAllow: ['google'] }, { to: 'jo@example.org' }],
    ['aiGeneration', { aiGeneration: 'off' }, { aiGeneration: 'within_approved_template' }],
    ['aiGeneration', { aiGeneration: 'approved_template_only' }, { aiGeneration: 'free' }],
  ])('%s is kept, and refused where it cannot be', (field, constraints, breaking) => {
    expect(underConstraints(constraints)).toBe('ok');
    expect(underConstraints(constraints, breaking)).toBe(`constraint_not_honourable: ${field}`);
  });

  test('a first contact is refused where new prospects are', () => {
    const constraints = { newProspects: false };
    const { recipient } = times();
    expect(underConstraints(constraints)).toBe('ok');
    const first = times({ constraints, recipient: { ...recipient, touches: 0 } });
    expect(honour(first, PLAIN)).toMatchObject({ because: 'newProspects' });
  });

  test('what governance counts is not counted again', () => {
    expect(
      underConstraints({
        maxToday: 0,
        maxPerHour: 0,
        minGapSec: 9999,
        budgetIds: ['mailbox:sales'],
        canary: { size: 0, holdSec: 0, stopUnsub: 0, stopComplaint: 0 },
      }),
    ).toBe('ok');
  });
});

test.each([
  ['jo@gmail.com', 'google'],
  ['jo@GoogleMail.com', 'google'],
  ['jo@hotmail.co.uk', 'microsoft'],
  ['jo@live.fr', 'microsoft'],
  ['jo@yahoo.com.br', 'yahoo'],
  ['jo@aol.com', 'yahoo'],
  ['jo@gmail.com.example.org', 'other'],
  ['jo@notgmail.com', 'other'],
  ['"a@gmail.com"@example.org', 'other'],
])('mail for %s goes to %s', (address, provider) => {
  expect(providerOf(address)).toBe(provider);
});
