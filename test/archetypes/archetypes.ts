import type { Archetype } from './archetype.ts';
import { MINUTE_MS, timeOn } from './calendar.ts';

const daily = (count: number) => () => count;

/** Day on which something happens to a tenant that was well before. */
export const EVENT_DAY = 5;
const OUTAGE_MS = timeOn(EVENT_DAY, 9) + 26 * MINUTE_MS;
/** First day of the seed mailboxes, for a tenant that has none at first. */
export const PROOF_DAY = 4;
export const FOLLOW_UP_DAYS = 3;

const NEW: readonly Archetype[] = [
  { id: 'new', title: 'new, perfect, autonomous, 30 a day', wants: daily(30) },
  {
    id: 'new-weekdays',
    title: 'new, sending on weekdays only',
    wants: daily(12),
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
    title: 'new, regulated sector',
    wants: daily(12),
    governance: { sector: 'finance' },
    person: { approves: true },
  },
  {
    id: 'no-proof-yet',
    title: 'new, no delivered proof yet',
    layer: 'sending_domain',
    wants: daily(12),
    sees: { seedMailbox: (day) => (day < PROOF_DAY ? { alignment: null, oneClickSigned: null } : {}) },
  },
];

const ESTABLISHED: readonly Archetype[] = [
  {
    id: 'no-feedback-loop',
    title: 'established, no feedback loop',
    past: { perDay: 8 },
    wants: daily(8),
    noFeedbackLoop: true,
    bounceShare: 0.004,
  },
  { id: 'eight-a-day', title: 'established, 8 a day', past: { perDay: 8 }, wants: daily(8) },
  {
    id: 'back-from-a-break',
    title: 'back from a 10-day break',
    past: { perDay: 8, pausedDays: 10 },
    wants: daily(8),
    bounceShare: 0.004,
  },
  {
    id: 'two-complaints',
    title: '2 complaints',
    past: { perDay: 40 },
    wants: daily(12),
    incidents: [{ day: EVENT_DAY, complaints: 2 }],
  },
  {
    id: 'bad-list',
    title: 'bad list: complaints and bounces',
    capPerDay: 76,
    past: { perDay: 45 },
    wants: (day) => (day === EVENT_DAY ? 80 : 12),
    incidents: [{ day: EVENT_DAY, complaints: 2, bounces: 64 }],
    person: { releases: true },
  },
  {
    id: 'our-outage',
    title: 'our own outage of 6 minutes',
    past: { perDay: 8 },
    wants: daily(8),
    outage: { fromMs: OUTAGE_MS, toMs: OUTAGE_MS + 6 * MINUTE_MS },
  },
  {
    id: 'unresolved-outcome',
    title: 'one unresolved outcome',
    past: { perDay: 12 },
    wants: daily(6),
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
    layer: 'billing',
    sees: { billing: (day) => (day < 1 ? {} : { subscriptionStatus: 'unpaid' }) },
  },
  {
    id: 'never-proven',
    title: 'domain without records',
    layer: 'sending_domain',
    wants: daily(3),
    sees: {
      dns: () => ({
        spf: 'none',
        dkim: 'not_discoverable',
        dkimKeyBits: null,
        dmarc: 'none',
        dmarcPolicy: null,
      }),
      seedMailbox: () => ({ alignment: null, oneClickSigned: null }),
    },
  },
  {
    id: 'never-delivered',
    title: 'domain without a delivered proof',
    layer: 'sending_domain',
    wants: daily(3),
    sees: { seedMailbox: () => ({ alignment: null, oneClickSigned: null }) },
  },
  {
    ...established,
    id: 'failing-domain',
    title: 'domain whose key is gone',
    layer: 'sending_domain',
    sees: {
      dns: (day) => (day < 1 ? {} : { dkim: 'missing', dkimKeyBits: null }),
      seedMailbox: (day) => (day < 1 ? {} : { alignment: null, oneClickSigned: null }),
    },
  },
  {
    ...established,
    id: 'unscoped-app',
    title: 'unscoped app',
    layer: 'mailbox',
    sees: { scopes: (day) => (day < 1 ? {} : { identityClass: 'app_only_unscoped' }) },
  },
  { ...established, id: 'frozen', title: 'frozen', layer: 'governance', frozenOnDay: 1 },
  {
    ...established,
    id: 'draft-only',
    title: 'draft_only by choice',
    layer: 'governance',
    governance: { mode: 'draft_only' },
    person: { approves: true },
  },
  {
    ...established,
    id: 'no-basis',
    title: 'no lawful basis',
    layer: 'governance',
    governance: { lawfulBasis: 'none' },
  },
  {
    ...established,
    id: 'no-jurisdiction',
    title: 'no jurisdiction declared',
    layer: 'governance',
    governance: { jurisdiction: 'undeclared' },
    person: { approves: true },
  },
  {
    id: 'no-import',
    title: 'no import',
    layer: 'data',
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
    layer: 'mailbox',
    followUpsOnly: true,
    sendOnly: true,
    person: { approves: true },
  },
];

export const ARCHETYPES: readonly Archetype[] = [...NEW, ...ESTABLISHED, ...NEVER];
