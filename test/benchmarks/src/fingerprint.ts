import { hash } from 'node:crypto';
import type { CanonicalRuntimeTruth, LayerCondition } from '@orchestrate/canon';
import canonicalize from 'canonicalize';
import type { Contest } from './contest.ts';
import { type Changes, conditionsWith, truthOf } from './tenant.ts';

/** Each changes one source, and with it one layer. */
const CHANGES: readonly Changes[] = [
  { 'billing/main': { paymentMethod: 'expiring_30d' } },
  { 'sending_domain/acme-example': { dkim: 'weak' } },
  { 'mailbox/anna': { canReadReplies: false } },
  { 'provider_health/llm': { p95Ms: 9000 } },
  { 'governance/main': { requestedMode: 'supervised' } },
  { 'continuity_window/main': { 'window.open': false, windowReason: 'out_of_hours' } },
  { 'pacing/ben': { complaints30d: 1 } },
  { 'campaign/summer': { campaignState: 'paused' } },
  { 'data/events': { queueReady: 0 } },
];

export const fingerprintContest: Contest = {
  name: 'fingerprint',
  about: 'a truth in which one layer changed, against canonical JSON (RFC 8785) and SHA-256 of all of it',
  ratioMin: 5,
  async prepare() {
    const base = conditionsWith();
    const changed = CHANGES.map((changes) => changedIn(base, conditionsWith(changes)));
    const truths = steps(base, changed).map((conditions) => truthOf(conditions));
    return {
      contenders: [
        { name: 'buildTruth', pass: () => build(base, changed) },
        { name: 'canonical JSON and SHA-256', pass: () => digest(truths) },
      ],
      opsPerPass: truths.length,
    };
  },
};

function changedIn(before: readonly LayerCondition[], after: readonly LayerCondition[]): LayerCondition {
  const changed = after.filter((one, index) => canonicalize(one) !== canonicalize(before[index]));
  if (changed.length !== 1) throw new Error(`a change changes one source, not ${changed.length}`);
  return changed[0]!;
}

/**
 * The tenant's conditions after each change, and after its end. As in truth-aggregator only what changed is another
 * object. It is a new one in each pass, for what was seen before would cost nothing.
 */
function steps(
  base: readonly LayerCondition[],
  changes: readonly LayerCondition[],
): readonly (readonly LayerCondition[])[] {
  let now = base;
  return changes.flatMap((changed) => {
    const at = base.findIndex((one) => one.layer === changed.layer && one.source === changed.source);
    const during = now.with(at, { ...changed });
    now = during.with(at, { ...base[at]! });
    return [during, now];
  });
}

/** All of buildTruth and not just its digests: layers, unknowns, risks and the mode are in it as well. */
function build(base: readonly LayerCondition[], changes: readonly LayerCondition[]): number {
  let truth = truthOf(base);
  for (const conditions of steps(base, changes)) truth = truthOf(conditions, truth);
  return truth.epoch;
}

/** The truths are there already, so that the reference pays for its fingerprint alone. */
function digest(truths: readonly CanonicalRuntimeTruth[]): number {
  let before = '';
  let epoch = 1;
  for (const truth of truths) {
    const text = canonicalize(truth);
    const now = text === undefined ? '' : hash('sha256', text, 'hex');
    if (now !== before) epoch++;
    before = now;
  }
  return epoch;
}
