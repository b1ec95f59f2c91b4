import { dispatchRequested, type TenantConfig } from '@orchestrate/contracts';
import { expect, test } from 'vitest';
import { dispatchIdOf, planActions } from './dispatch-requests.ts';

const DIGEST = 'a'.repeat(64);
const LEAD = {
  recipientKey: 'b'.repeat(64),
  verified: true,
  prospect: 'referral',
  conversation: 'none',
} as const;
const CONFIG = {
  mailboxes: [
    { id: 'ann', domain: 'main', enabled: true },
    { id: 'ben', domain: 'other', enabled: false },
    { id: 'cem', domain: 'other', enabled: true },
    { id: 'dan', domain: 'main', enabled: true },
  ],
  campaigns: [{ id: 'spring', mailboxes: ['ann', 'ben', 'cem'], templates: [DIGEST] }],
  imports: [{ id: 'list' }],
} as unknown as TenantConfig;
const REQUEST = {
  tenantId: 'acme',
  campaign: 'spring',
  step: 1,
  importSource: 'list',
  leads: [],
  config: CONFIG,
};

test('the enabled mailboxes of the campaign take turns, each with its own domain', () => {
  const actionOf = planActions(REQUEST);
  const actions = [0, 1, 2].map((index) => actionOf(LEAD, index));
  expect(actions.map(({ mailbox, domain }) => `${mailbox}@${domain}`)).toEqual([
    'ann@main',
    'cem@other',
    'ann@main',
  ]);
  expect(actions[0]).toMatchObject({ templateDigest: DIGEST, prospect: 'referral', recipientVerified: true });
});

test('one message to one person has one id, which its contract takes', () => {
  const at = { tenantId: 'acme', campaign: 'spring', step: 1, recipientKey: LEAD.recipientKey };
  expect(dispatchIdOf(at)).toMatch(/^d-[0-9a-f]{40}$/);
  expect(dispatchIdOf({ ...at })).toBe(dispatchIdOf(at));
  expect(
    new Set([dispatchIdOf(at), dispatchIdOf({ ...at, step: 2 }), dispatchIdOf({ ...at, tenantId: 'other' })])
      .size,
  ).toBe(3);
  const message = {
    v: '1.0',
    id: '00000000-0000-4000-8000-000000000000',
    tenantId: 'acme',
    causedBy: null,
    dispatchId: dispatchIdOf(at),
    requestedBy: 'cli',
    requestedAtMs: 1,
    action: planActions(REQUEST)(LEAD, 0),
  };
  expect(dispatchRequested.strict.safeParse(message).error).toBeUndefined();
});

test.each([
  [{ campaign: 'sprong' }, 'tenant `acme` has no campaign `sprong`; did you mean `spring`?'],
  [{ step: 2 }, 'campaign `spring` has no step 2: its steps are 1 to 1'],
  [{ importSource: 'lst' }, 'tenant `acme` declares no import `lst`; did you mean `list`?'],
  [
    { config: { ...CONFIG, mailboxes: [] } },
    'campaign `spring` has no enabled mailbox: enable one of ann, ben, cem',
  ],
])('a request that names what is not there is refused before anything is asked', (change, message) => {
  expect(() => planActions({ ...REQUEST, ...change })).toThrow(message);
});
