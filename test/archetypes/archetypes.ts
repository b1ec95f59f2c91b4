import type { Archetype } from './archetype.ts';
import { MINUTE_MS, timeOn } from './calendar.ts';

const daily = (count: number) => () => count;

/** Day on which something happens to a tenant that was well before. */
export const EVENT_DAY = 5;
/** First day of the seed mailboxes, for a tenant that has none at first. */
export const PROOF_DAY = 8;
export const FOLLOW_UP_DAYS = 3;

const NEW: readonly Archetype[] = [
  { id: 'new', title: 'new, perfect, autonomous, 30 a day', wants: daily(30) },
  {
    id: 'new-weekdays',
    title: 'the same, sending on weekdays only',
    wants: daily(30),
    weekdaysOnly: true,
  },
  {
    id: 'new-send-only',
    title: 'new, send-only mailbox',
    wants: daily(12),
    sendOnly: true,
    person: { approves: true },
  },
  {
    id: 'new-regulated',
    title: 'new, regulated sector, 20 a day',
    wants: daily(20),
    governance: { sector: 'finance' },
    person: { approves: true },
  },
  {
    id: 'no-proof-yet',
    title: 'new, no delivered proof yet',
    wants: daily(30),
    sees: { seedMailbox: (day) => (day < PROOF_DAY ? { alignment: null, oneClickSigned: null } : {}) },
  },
];

const ESTABLISHED: readonly Archetype[] = [
  {
    id: 'no-feedback-loop',
    title: 'established, no feedback loop',
    past: { perDay: 12 },
    wants: daily(12),
    noFeedbackLoop: true,
    bounceShare: 0.004,
  },
  { id: 'eight-a-day', title: 'established, 8 a day', past: { perDay: 8 }, wants: daily(8) },
  {
    id: 'back-from-a-break',
    title: 'back from a 10-day break',
    past: { perDay: 12, pausedDays: 10 },
    wants: daily(12),
    bounceShare: 0.004,
  },
  {
    id: 'two-complaints',
    title: '2 complaints',
    past: { perDay: 24 },
    wants: daily(24),
    incidents: [{ day: EVENT_DAY, complaints: 2 }],
  },
  {
    id: 'bad-list',
    title: 'bad list: complaints and bounces',
    past: { perDay: 24 },
    wants: (day) => (day === EVENT_DAY ? 48 : 24),
    incidents: [{ day: EVENT_DAY, complaints: 2, bounces: 40 }],
    person: { releases: true },
  },
  {
    id: 'our-outage',
    title: 'our own outage of 6 minutes',
    past: { perDay: 12 },
    wants: daily(12),
    outage: { fromMs: timeOn(EVENT_DAY, 10), toMs: timeOn(EVENT_DAY, 10) + 6 * MINUTE_MS },
  },
  {
    id: 'unresolved-outcome',
    title: 'one unresolved outcome',
    past: { perDay: 20 },
    wants: daily(10),
    followUpAfterDays: FOLLOW_UP_DAYS,
    incidents: [{ day: EVENT_DAY, unknownOutcomes: 1 }],
  },
];

const established = { past: { perDay: 20 }, wants: daily(3) };

/** Those that do not dispatch, and rightly so. */
export const NEVER: readonly Archetype[] = [
  {
    ...established,
    id: 'unpaid',
    title: 'unpaid',
    sees: { billing: (day) => (day < 1 ? {} : { subscriptionStatus: 'unpaid' }) },
  },
  {
    id: 'never-proven',
    title: 'domain without records',
    wants: daily(3),
    sees: {
      dns: () => ({ spf: 'none', dkim: 'not_discoverable', dkimKeyBits: null, dmarc: 'none', dmarcPolicy: null }),
      seedMailbox: () => ({ alignment: null, oneClickSigned: null }),
    },
  },
  {
    id: 'never-delivered',
    title: 'domain without a delivered proof',
    wants: daily(3),
    sees: { seedMailbox: () => ({ alignment: null, oneClickSigned: null }) },
  },
  {
    ...established,
    id: 'failing-domain',
    title: 'domain whose key is gone',
    sees: {
      dns: (day) => (day < 1 ? {} : { dkim: 'missing', dkimKeyBits: null }),
      seedMailbox: (day) => (day < 1 ? {} : { alignment: null, oneClickSigned: null }),
    },
  },
  {
    ...established,
    id: 'unscoped-app',
    title: 'unscoped app',
    sees: { scopes: (day) => (day < 1 ? {} : { identityClass: 'app_only_unscoped' }) },
  },
  { ...established, id: 'frozen', title: 'frozen', frozenOnDay: 1 },
  {
    ...established,
    id: 'draft-only',
    title: 'draft_only by choice',
    governance: { mode: 'draft_only' },
    person: { approves: true },
  },
  { ...established, id: 'no-basis', title: 'no lawful basis', governance: { lawfulBasis: 'none' } },
  {
    ...established,
    id: 'no-jurisdiction',
    title: 'no jurisdiction declared',
    governance: { jurisdiction: 'undeclared' },
    person: { approves: true },
  },
  {
    id: 'no-import',
    title: 'no import',
    wants: daily(3),
    sees: {
      import: () => ({
        importState: 'never',
        importAgeH: null,
        queueReady: null,
        verifiedShare: null,
        provenanceShare: null,
      }),
    },
  },
  {
    ...established,
    id: 'blind-follow-ups',
    title: 'follow-ups from a send-only mailbox',
    followUpsOnly: true,
    sendOnly: true,
    person: { approves: true },
  },
];

export const ARCHETYPES: readonly Archetype[] = [...NEW, ...ESTABLISHED, ...NEVER];
