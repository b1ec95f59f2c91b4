import {
  type CanonicalBlockerLayer,
  type DispatchCase,
  isExplorable,
  type ReadFact,
  type TruthReading,
} from '@orchestrate/canon';

/** A case as a general engine wants it: one level of words, whole numbers and booleans. */
export type FlatFacts = Readonly<Record<string, string | number | boolean>>;

/** All that the ten rules want of a case, made anew for each request. */
export function flatFacts(input: DispatchCase): FlatFacts {
  return Object.assign(truthFacts(input), requestFacts(input));
}

/**
 * What they want of the truth, at this moment, of the sources that the request names: each fact is read once, by its
 * name, and no list or record is made on the way.
 */
export function truthFacts({ reading, action }: DispatchCase): FlatFacts {
  const { mailbox, domain, campaign, importSource } = action;
  const plain = (layer: CanonicalBlockerLayer, source: string, fact: string) =>
    answerOf(reading.fact(layer, source, fact));
  const worded = (layer: CanonicalBlockerLayer, source: string, fact: string) =>
    wordOf(reading.fact(layer, source, fact));
  const alignment = reading.fact('sending_domain', domain, 'alignment');
  const proof = (fact: string) => proofOf(reading, reading.fact('sending_domain', domain, fact), alignment);
  const sync = reading.fact('data', importSource, 'suppressionSyncAgeSec');
  const band = reading.fact('pacing', mailbox, 'band');
  const approval = reading.fact('campaign', campaign, 'approval');
  const mailboxSource = sourceOf(reading, 'mailbox', mailbox);
  const pacingCauses = sourceOf(reading, 'pacing', mailbox)?.causes;
  const campaignSource = sourceOf(reading, 'campaign', campaign);
  const dataSource = sourceOf(reading, 'data', importSource);
  const heldWith = reading.source('governance', 'main')?.causes.holds;
  return {
    freeze: worded('governance', 'main', 'freeze'),
    frozenWithAll: heldWith !== undefined && 'freeze_all' in heldWith,
    suppressionSync: sync.verdict === 'unknown' && sync.reason !== 'never_observed' ? 'unknown' : 'pass',
    lawfulBasis: worded('governance', 'main', 'lawfulBasis'),
    jurisdiction: worded('governance', 'main', 'jurisdiction'),
    sector: plain('governance', 'main', 'sector'),
    subscription: billingOf(reading, 'subscriptionStatus'),
    paymentMethod: billingOf(reading, 'paymentMethod'),
    entitlement: billingOf(reading, 'entitlementRemaining'),
    spf: proof('spf'),
    dkim: proof('dkim'),
    dmarc: proof('dmarc'),
    alignment: proofOf(reading, alignment, alignment),
    domainEnabled: sourceOf(reading, 'sending_domain', domain)?.enabled !== false,
    identityClass: plain('mailbox', mailbox, 'identityClass'),
    token: plain('mailbox', mailbox, 'token'),
    canSend: plain('mailbox', mailbox, 'canSend'),
    canReadReplies: plain('mailbox', mailbox, 'canReadReplies'),
    canSeeBounces: plain('mailbox', mailbox, 'canSeeBounces'),
    mailboxEnabled: mailboxSource?.enabled !== false,
    mailboxHeld: hasAny(mailboxSource?.causes.holds),
    quotaFull:
      mailboxSource !== undefined &&
      ('quota_full' in mailboxSource.causes.closures || hasAny(mailboxSource.causes.cooldowns)),
    mailboxRequalifying: hasAny(mailboxSource?.causes.requalifications),
    band: band.verdict === 'unknown' ? answerOf(band) : String(band.value),
    pacingHeld: hasAny(pacingCauses?.holds, COMPOUND),
    pacingCooling:
      hasAny(pacingCauses?.cooldowns) || (pacingCauses !== undefined && COMPOUND in pacingCauses.holds),
    capReached: pacingCauses !== undefined && 'cap_reached' in pacingCauses.closures,
    pacingRequalifying: hasAny(pacingCauses?.requalifications),
    capToday: plain('pacing', mailbox, 'capToday'),
    delivered: plain('pacing', mailbox, 'delivered30d'),
    hardBounces: plain('pacing', mailbox, 'hardBounces30d'),
    campaignState: worded('campaign', campaign, 'campaignState'),
    approval: answerOf(approval),
    templateApproved: approval.value === 'current',
    lint: plain('campaign', campaign, 'lint'),
    unresolvedVars: plain('campaign', campaign, 'unresolvedVars'),
    optOut: plain('campaign', campaign, 'optOut'),
    bindings: plain('campaign', campaign, 'bindings'),
    cta: worded('campaign', campaign, 'cta'),
    tone: worded('campaign', campaign, 'tone'),
    campaignUsable: campaignSource?.enabled !== false && !hasAny(campaignSource?.causes.holds),
    campaignLater: hasAny(campaignSource?.causes.closures) || hasAny(campaignSource?.causes.cooldowns),
    importState: plain('data', importSource, 'importState'),
    dataUsable: dataSource?.enabled !== false && !hasAny(dataSource?.causes.holds),
    dataLater: hasAny(dataSource?.causes.closures) || hasAny(dataSource?.causes.cooldowns),
    windowOpen: reading.fact('continuity_window', 'main', 'window.open').value === true,
    windowReason: plain('continuity_window', 'main', 'windowReason'),
    clockWrong: reading.fact('continuity_window', 'main', 'clockSkewMs').reason === 'clock_skew',
    providerUsable: areProvidersUsable(reading),
    mode: modeOf(reading),
    layerHeld:
      hasAny(reading.source('billing', 'main')?.causes.holds) ||
      hasAny(reading.source('sending_domain', domain)?.causes.holds) ||
      hasAny(heldWith) ||
      hasAny(reading.source('continuity_window', 'main')?.causes.holds),
  };
}

/** What they want of the request, the ledger and the reservation. */
export function requestFacts(input: DispatchCase): FlatFacts {
  const { action, recipient, reservation, approval, policy, nowMs } = input;
  const dueAtMs =
    recipient.lastTouchAtMs === null
      ? null
      : recipient.lastTouchAtMs + policy.dispatch.stepIntervalSec * 1000;
  const { own, best, mailboxes } = reservation.headroom;
  const isClose = mailboxes > 0 && best - own <= policy.dispatch.headroomTieShare;
  return {
    frozenOnRecord: input.freezes.length > 0,
    suppression: recipient.suppression,
    budget: reservation.budget,
    slot: reservation.slot,
    usedToday: reservation.usedToday,
    conversation: recipient.conversation,
    step: action.step,
    touches: recipient.touches,
    duplicate: recipient.duplicate,
    unresolvedOutcome: recipient.unresolvedOutcome,
    recipientVerified: action.recipientVerified,
    bound: action.bound,
    prospect: action.prospect,
    due: dueAtMs === null ? action.step === 1 : dueAtMs <= nowMs,
    mailboxChoice:
      recipient.lastMailbox === action.mailbox || mailboxes === 1 || isClose ? 'reasoned' : 'arbitrary',
    approved:
      approval !== null && approval.actionDigest === action.actionDigest && approval.expiresAtMs > nowMs,
  };
}

const COMPOUND = 'risks_compound';

function hasAny(causes: object | undefined, but?: string): boolean {
  for (const cause in causes) if (cause !== but) return true;
  return false;
}

const sourceOf = (reading: TruthReading, layer: CanonicalBlockerLayer, source: string) =>
  reading.fresh ? reading.source(layer, source) : undefined;

function answerOf(fact: ReadFact): string {
  if (fact.verdict === 'unknown') {
    if (fact.reason === 'truth_stale') return 'stale';
    return fact.layer === 'pacing' && isExplorable(fact.reason) ? 'sample' : 'unknown';
  }
  return fact.severity === 'none' ? 'pass' : fact.severity;
}

function billingOf(reading: TruthReading, name: string): string {
  const answer = answerOf(reading.fact('billing', 'main', name));
  return answer === 'hard' && reading.inGrace('billing', 'main', name) ? 'grace' : answer;
}

/** Inside its grace a proof is as good as what was delivered since it failed. */
function proofOf(reading: TruthReading, fact: ReadFact, alignment: ReadFact): string {
  const answer = answerOf(fact);
  if (answer !== 'hard' || !reading.inGrace('sending_domain', fact.source, fact.fact)) return answer;
  const isProven = alignment.verdict === 'pass' && (alignment.observedAtMs ?? 0) > (fact.observedAtMs ?? 0);
  return isProven ? 'grace_proven' : 'grace';
}

function wordOf(fact: ReadFact): string {
  if (fact.verdict === 'unknown') return fact.stale ? 'stale' : 'unanswered';
  return String(fact.value);
}

function modeOf(reading: TruthReading): string {
  const requested = reading.fact('governance', 'main', 'requestedMode');
  if (requested.verdict === 'unknown' || !reading.truth) return requested.stale ? 'stale' : 'unknown';
  return reading.truth.mode.resolved;
}

function areProvidersUsable(reading: TruthReading): boolean {
  for (const { source, enabled, causes } of reading.truth?.layers.provider_health.sources ?? []) {
    if (!enabled) continue;
    if (hasAny(causes.cooldowns) || hasAny(causes.holds)) return false;
    for (const fact of reading.required('provider_health', source)) {
      if (fact.verdict === 'unknown' || fact.severity === 'hard') return false;
    }
  }
  return true;
}
