import {
  type CanonicalBlockerLayer,
  type DispatchCase,
  isExplorable,
  type ReadFact,
} from '@orchestrate/canon';

/** A case as a general engine wants it: one level of words, whole numbers and booleans. */
export type FlatFacts = Readonly<Record<string, string | number | boolean>>;

/** `hard` outside its grace; inside it whether a message delivered since has proven the domain. */
type Answer = 'pass' | 'soft' | 'grace_proven' | 'grace' | 'hard' | 'unknown' | 'stale';

/**
 * What the ten rules want of the truth, of the sources that the request names. A caller can keep it from one truth to
 * the next, so it is worked out before anything is measured; expiry and graces then cost the engines nothing.
 */
export function truthFacts(input: DispatchCase): FlatFacts {
  const { reading, action } = input;
  const { mailbox, domain, campaign, importSource } = action;
  const read = (layer: CanonicalBlockerLayer, source: string, fact: string) =>
    reading.fact(layer, source, fact);
  const of = (layer: CanonicalBlockerLayer, source: string) => (fact: string) =>
    answer(input, read(layer, source, fact));
  const [billing, domainFact, mailboxFact, governance, window, pacing, campaignFact, data] = [
    of('billing', 'main'),
    of('sending_domain', domain),
    of('mailbox', mailbox),
    of('governance', 'main'),
    of('continuity_window', 'main'),
    of('pacing', mailbox),
    of('campaign', campaign),
    of('data', importSource),
  ];
  const causes = (layer: CanonicalBlockerLayer, source: string) => {
    const found = reading.fresh ? reading.source(layer, source) : undefined;
    const any = (record: object | undefined) => Object.keys(record ?? {}).length > 0;
    return {
      enabled: found?.enabled ?? true,
      held: any(found?.causes.holds),
      cooling: any(found?.causes.cooldowns),
      closed: any(found?.causes.closures),
      requalifying: any(found?.causes.requalifications),
    };
  };
  const [mailboxCauses, pacingCauses, campaignCauses, dataCauses] = [
    causes('mailbox', mailbox),
    causes('pacing', mailbox),
    causes('campaign', campaign),
    causes('data', importSource),
  ];
  const band = read('pacing', mailbox, 'band');
  const requested = read('governance', 'main', 'requestedMode');
  const sync = read('data', importSource, 'suppressionSyncAgeSec');
  return {
    freeze: word(read('governance', 'main', 'freeze')),
    frozenWithAll: reading.holds('governance', 'main').includes('freeze_all'),
    suppressionSync: sync.verdict === 'unknown' && sync.reason !== 'never_observed' ? 'unknown' : 'pass',
    lawfulBasis: word(read('governance', 'main', 'lawfulBasis')),
    jurisdiction: word(read('governance', 'main', 'jurisdiction')),
    sector: governance('sector'),
    subscription: billing('subscriptionStatus'),
    paymentMethod: billing('paymentMethod'),
    entitlement: billing('entitlementRemaining'),
    spf: domainFact('spf'),
    dkim: domainFact('dkim'),
    dmarc: domainFact('dmarc'),
    alignment: domainFact('alignment'),
    domainEnabled: causes('sending_domain', domain).enabled,
    identityClass: mailboxFact('identityClass'),
    token: mailboxFact('token'),
    canSend: mailboxFact('canSend'),
    canReadReplies: mailboxFact('canReadReplies'),
    canSeeBounces: mailboxFact('canSeeBounces'),
    mailboxEnabled: mailboxCauses.enabled,
    mailboxHeld: mailboxCauses.held,
    mailboxLimited: mailboxCauses.closed || mailboxCauses.cooling,
    mailboxRequalifying: mailboxCauses.requalifying,
    band: band.verdict !== 'unknown' ? String(band.value) : isExplorable(band.reason) ? 'sample' : 'unknown',
    pacingHeld: pacingCauses.held,
    pacingCooling: pacingCauses.cooling,
    capReached: pacingCauses.closed,
    pacingRequalifying: pacingCauses.requalifying,
    capToday: pacing('capToday'),
    delivered: pacing('delivered30d'),
    hardBounces: pacing('hardBounces30d'),
    campaignState: word(read('campaign', campaign, 'campaignState')),
    approval: campaignFact('approval'),
    templateApproved: read('campaign', campaign, 'approval').value === 'current',
    lint: campaignFact('lint'),
    unresolvedVars: campaignFact('unresolvedVars'),
    optOut: campaignFact('optOut'),
    bindings: campaignFact('bindings'),
    cta: word(read('campaign', campaign, 'cta')),
    tone: word(read('campaign', campaign, 'tone')),
    campaignUsable: campaignCauses.enabled && !campaignCauses.held,
    campaignLater: campaignCauses.closed || campaignCauses.cooling,
    importState: data('importState'),
    dataUsable: dataCauses.enabled && !dataCauses.held,
    dataLater: dataCauses.closed || dataCauses.cooling,
    windowOpen: read('continuity_window', 'main', 'window.open').value === true,
    windowReason: window('windowReason'),
    clockWrong: read('continuity_window', 'main', 'clockSkewMs').reason === 'clock_skew',
    providerUsable: providersUsable(input),
    mode:
      requested.verdict !== 'unknown' ? reading.truth!.mode.resolved : requested.stale ? 'stale' : 'unknown',
    layerHeld:
      reading.holds('billing', 'main').length > 0 ||
      reading.holds('sending_domain', domain).length > 0 ||
      reading.holds('governance', 'main').length > 0 ||
      reading.holds('continuity_window', 'main').length > 0,
  };
}

/** What they want of the request, the ledger and the reservation: other with each request, so made for each call. */
export function requestFacts(input: DispatchCase): FlatFacts {
  const { action, recipient, reservation, approval, policy, nowMs } = input;
  const dueAtMs =
    recipient.lastTouchAtMs === null
      ? null
      : recipient.lastTouchAtMs + policy.dispatch.stepIntervalSec * 1000;
  const { own, best, mailboxes } = reservation.headroom;
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
      recipient.lastMailbox === action.mailbox || mailboxes === 1 || (mailboxes > 0 && best - own <= 0.2)
        ? 'reasoned'
        : 'arbitrary',
    approved:
      approval !== null && approval.actionDigest === action.actionDigest && approval.expiresAtMs > nowMs,
  };
}

function answer({ reading }: DispatchCase, fact: ReadFact): Answer {
  if (fact.verdict === 'unknown') return 'unknown';
  if (fact.severity !== 'hard') return fact.severity === 'soft' ? 'soft' : 'pass';
  if (!reading.inGrace(fact.layer, fact.source, fact.fact)) return 'hard';
  const proof = reading.fact(fact.layer, fact.source, 'alignment');
  const since = proof.verdict === 'pass' && (proof.observedAtMs ?? 0) > (fact.observedAtMs ?? 0);
  return since ? 'grace_proven' : 'grace';
}

function word(fact: ReadFact): string {
  if (fact.verdict === 'unknown') return fact.stale ? 'stale' : 'unanswered';
  return String(fact.value);
}

function providersUsable({ reading }: DispatchCase): boolean {
  const providers = reading.truth?.layers.provider_health.sources.filter((source) => source.enabled) ?? [];
  return providers.every(
    ({ source, causes }) =>
      Object.keys({ ...causes.cooldowns, ...causes.holds }).length === 0 &&
      reading
        .required('provider_health', source)
        .every((fact) => fact.verdict !== 'unknown' && fact.severity !== 'hard'),
  );
}
