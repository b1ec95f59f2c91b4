import type { CanonicalBlockerLayer, FactValue } from '@orchestrate/canon';

export type Facts = Readonly<Record<string, FactValue>>;
export type SourceFacts = readonly [layer: CanonicalBlockerLayer, source: string, facts: Facts];

/** Every fact that has to be observed of a tenant so declared before it may send, by layer and source. */
export const READY_FACTS: readonly SourceFacts[] = [
  [
    'billing',
    'main',
    { subscriptionStatus: 'active', paymentMethod: 'valid', entitlementRemaining: 1_000_000 },
  ],
  [
    'sending_domain',
    'main',
    { spf: 'pass', dkim: 'valid', dmarc: 'present', alignment: 'aligned', oneClickSigned: true },
  ],
  [
    'mailbox',
    'anna',
    {
      identityClass: 'user',
      token: 'active',
      canSend: true,
      canReadReplies: true,
      canSeeBounces: true,
      senderAgeDays: 400,
    },
  ],
  [
    'continuity_window',
    'main',
    { 'window.open': true, windowReason: 'in_hours', lastRunOutcome: 'completed' },
  ],
  ['pacing', 'anna', { delivered30d: 2000, hardBounces30d: 10, complaints30d: 0 }],
  [
    'data',
    'list',
    { importState: 'done', queueReady: 100, verifiedShare: 1, provenanceShare: 1, suppressionSyncAgeSec: 0 },
  ],
];
