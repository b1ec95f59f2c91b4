import type { AgeClass, CanonicalBlockerLayer, FactValue } from '@orchestrate/canon';
import { DOMAIN, IMPORT, MAILBOX } from './tenant.ts';

/** Facts by name; `null` where there is nothing to see. */
export type Seen = Readonly<Record<string, FactValue | null>>;

interface Probe {
  readonly layer: CanonicalBlockerLayer;
  readonly source: string;
  /** Looks again at half of the age at which its answers are too old. */
  readonly age: AgeClass;
  readonly good: (day: number) => Seen;
}

const OLD_SENDER_DAYS = 400;
const IMPORTED_EVERY_DAYS = 7;

/** Whoever looks at a tenant from outside, and what each sees of one with which all is well. */
export const PROBES = {
  billing: {
    layer: 'billing',
    source: 'main',
    age: 'billing',
    good: () => ({ subscriptionStatus: 'active', paymentMethod: 'valid', entitlementRemaining: 100_000 }),
  },
  dns: {
    layer: 'sending_domain',
    source: DOMAIN,
    age: 'dns',
    good: () => ({
      spf: 'pass',
      spfLookups: 3,
      spfVoidLookups: 0,
      dkim: 'valid',
      dkimKeyBits: 2048,
      dmarc: 'present',
      dmarcPolicy: 'quarantine',
    }),
  },
  /** Messages to our own seed mailboxes: they are no dispatch and take nothing from any cap. */
  seedMailbox: {
    layer: 'sending_domain',
    source: DOMAIN,
    age: 'deliveredProof',
    good: () => ({ alignment: 'aligned', oneClickSigned: true }),
  },
  token: { layer: 'mailbox', source: MAILBOX, age: 'token', good: () => ({ token: 'active' }) },
  scopes: {
    layer: 'mailbox',
    source: MAILBOX,
    age: 'scopes',
    good: () => ({
      identityClass: 'user',
      canSend: true,
      canReadReplies: true,
      canSeeBounces: true,
      senderAgeDays: OLD_SENDER_DAYS,
    }),
  },
  import: {
    layer: 'data',
    source: IMPORT,
    age: 'import',
    good: (day) => ({
      importState: 'done',
      importAgeH: (Math.max(0, day - 1) % IMPORTED_EVERY_DAYS) * 24,
      queueReady: 1000,
      verifiedShare: 0.98,
      provenanceShare: 1,
      suppressionSyncAgeSec: 30,
    }),
  },
} as const satisfies Record<string, Probe>;
export type ProbeName = keyof typeof PROBES;
export const PROBE_NAMES = Object.keys(PROBES) as readonly ProbeName[];
