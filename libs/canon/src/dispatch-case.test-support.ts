import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Causes,
  type FactReading,
  type LayerCondition,
  type LayerRisk,
  NO_CAUSES,
} from './condition.ts';
import { type FactValue, factSpec } from './facts.ts';
import type {
  Approval,
  DispatchAction,
  DispatchCase,
  Gate,
  RecipientStanding,
  Reservation,
} from './gates/gate.ts';
import { type Policy, policyDigestOf, policySchema } from './policy.ts';
import { ruleOf } from './rules/index.ts';
import type { KnownFacts } from './rules/layer-rule.ts';
import { buildTruth, type CanonicalRuntimeTruth } from './truth.ts';
import { TruthReading } from './truth-reading.ts';
import {
  CANONICAL_BLOCKER_LAYERS,
  type CanonicalBlockerLayer,
  type ManagedExecutionState,
  stateToBucket,
} from './words.ts';

export const NOW_MS = Date.parse('2026-03-02T10:00:00Z');
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

const file = join(import.meta.dirname, '../../../policies/default.json');
export const DEFAULT_POLICY_JSON: unknown = JSON.parse(readFileSync(file, 'utf8'));
export const POLICY: Policy = policySchema.parse(DEFAULT_POLICY_JSON);

/** A tenant with nothing wrong: one domain, one mailbox, one campaign, one import, no AI provider. */
const GOOD: Record<CanonicalBlockerLayer, { source: string; facts: Record<string, FactValue> }> = {
  billing: {
    source: 'main',
    facts: { subscriptionStatus: 'active', paymentMethod: 'valid', entitlementRemaining: 5000 },
  },
  sending_domain: {
    source: 'acme-example',
    facts: { spf: 'pass', dkim: 'valid', dmarc: 'present', alignment: 'aligned', oneClickSigned: true },
  },
  mailbox: {
    source: 'anna',
    facts: {
      provider: 'gmail',
      identityClass: 'user',
      token: 'active',
      canSend: true,
      canReadReplies: true,
      canSeeBounces: true,
      senderAgeDays: 400,
    },
  },
  provider_health: {
    source: 'llm',
    facts: { reachable: true, p95Ms: 900, errorRatio5m: 0, samples5m: 40, errorClass: 'none' },
  },
  governance: {
    source: 'main',
    facts: {
      requestedMode: 'autonomous',
      sector: 'technology',
      jurisdiction: 'eu',
      lawfulBasis: 'consent',
      freeze: false,
    },
  },
  continuity_window: {
    source: 'main',
    facts: { 'window.open': true, windowReason: 'in_hours', lastRunOutcome: 'completed' },
  },
  pacing: {
    source: 'anna',
    facts: { capToday: 50, delivered30d: 2000, hardBounces30d: 10, complaints30d: 0, band: 'healthy' },
  },
  campaign: {
    source: 'spring',
    facts: {
      campaignState: 'active',
      approval: 'current',
      lint: 'pass',
      unresolvedVars: 0,
      optOut: true,
      address: true,
      bindings: 'bound',
      cta: 'question',
      tone: 'neutral_lint',
    },
  },
  data: {
    source: 'crm',
    facts: {
      importState: 'done',
      queueReady: 100,
      verifiedShare: 1,
      provenanceShare: 1,
      suppressionSyncAgeSec: 0,
    },
  },
};

export interface ConditionChange {
  readonly source?: string;
  readonly enabled?: boolean;
  readonly state?: ManagedExecutionState;
  /** A value is judged by the layer's rule, an object changes the reading itself, null takes the fact away. */
  readonly facts?: Readonly<Record<string, FactValue | Partial<FactReading> | null>>;
  readonly causes?: Partial<Causes>;
  readonly risks?: readonly LayerRisk[];
}

export const lost = (reason: FactReading['reason']): Partial<FactReading> => ({
  verdict: 'unknown',
  severity: 'none',
  reason,
});

/** What a source of this layer says when all is well but for this change. */
export function conditionWith(layer: CanonicalBlockerLayer, change: ConditionChange = {}): LayerCondition {
  const good = GOOD[layer];
  const changes = change.facts ?? {};
  const names = [...new Set([...Object.keys(good.facts), ...Object.keys(changes)])];
  const valueFor = (name: string): FactValue | undefined => {
    const changed = changes[name];
    if (changed === null) return undefined;
    return typeof changed === 'object' || changed === undefined ? good.facts[name] : changed;
  };
  const known = Object.fromEntries(names.map((name) => [name, valueFor(name)])) as KnownFacts;
  const facts = names
    .filter((name) => changes[name] !== null)
    .map((name) => {
      const changed = changes[name];
      return { ...judged(layer, name, known), ...(typeof changed === 'object' ? changed : {}) };
    });
  const state = change.state ?? 'ready';
  return {
    tenantId: 'acme',
    layer,
    source: change.source ?? good.source,
    enabled: change.enabled ?? true,
    state,
    bucket: stateToBucket(state),
    owner: ruleOf(layer).owner,
    reason: 'ok',
    facts,
    causes: { ...NO_CAUSES, ...change.causes },
    risks: change.risks ?? [],
    validUntilMs: NOW_MS + HOUR_MS,
  };
}

function judged(layer: CanonicalBlockerLayer, fact: string, known: KnownFacts): FactReading {
  const rule = ruleOf(layer);
  const judgement = rule.judge(fact as never, known, { policy: POLICY, atMs: NOW_MS });
  const spec = factSpec(layer, fact);
  return {
    fact,
    value: known[fact as never],
    verdict: judgement.verdict,
    severity: judgement.severity,
    reason: judgement.reason,
    owner: judgement.owner ?? rule.owner,
    required: spec?.required === true,
    observedAtMs: NOW_MS - HOUR_MS,
    expiresAtMs: spec?.age === 'folded' ? null : NOW_MS + HOUR_MS,
    everPassed: judgement.verdict === 'pass',
    passingSinceMs: judgement.verdict === 'pass' ? NOW_MS - DAY_MS : null,
  };
}

export type Changes = Partial<Record<CanonicalBlockerLayer, ConditionChange>>;

export function conditionsWith(changes: Changes = {}): readonly LayerCondition[] {
  return CANONICAL_BLOCKER_LAYERS.map((layer) => conditionWith(layer, changes[layer]));
}

export function truthOf(
  conditions: readonly LayerCondition[],
  previous: CanonicalRuntimeTruth | null = null,
  atMs = NOW_MS,
): CanonicalRuntimeTruth {
  const policyDigest = policyDigestOf(POLICY);
  return buildTruth({ tenantId: 'acme', conditions, policy: POLICY, policyDigest, previous, atMs });
}

export interface CaseChange {
  readonly layers?: Changes;
  readonly more?: readonly LayerCondition[];
  readonly fresh?: boolean;
  readonly nowMs?: number;
  readonly action?: Partial<DispatchAction>;
  readonly recipient?: Partial<RecipientStanding>;
  readonly reservation?: Partial<Reservation>;
  readonly approval?: Approval | null;
  readonly freezes?: DispatchCase['freezes'];
}

export const ACTION_DIGEST = 'a'.repeat(64);
export const APPROVAL: Approval = {
  approvalId: 'approval-1',
  actionDigest: ACTION_DIGEST,
  expiresAtMs: NOW_MS + HOUR_MS,
};

/** A first message that may go out, but for this change. */
export function caseWith(change: CaseChange = {}): DispatchCase {
  const nowMs = change.nowMs ?? NOW_MS;
  const truth = truthOf([...conditionsWith(change.layers), ...(change.more ?? [])]);
  return {
    nowMs,
    policy: POLICY,
    reading: new TruthReading(truth, change.fresh ?? true, nowMs),
    action: {
      dispatchId: 'd-1',
      mailbox: 'anna',
      domain: 'acme-example',
      campaign: 'spring',
      importSource: 'crm',
      step: 1,
      recipientVerified: true,
      prospect: 'verified_import',
      bound: true,
      actionDigest: ACTION_DIGEST,
      ...change.action,
    },
    recipient: {
      suppression: 'clear',
      conversation: 'none',
      touches: 0,
      lastTouchAtMs: null,
      lastMailbox: null,
      duplicate: false,
      unresolvedOutcome: false,
      ...change.recipient,
    },
    reservation: {
      slot: 'free',
      nextSlotAtMs: null,
      usedToday: 0,
      budget: 'available',
      budgetIds: ['mailbox:anna', 'domain:acme-example'],
      headroom: { own: 1, best: 1, mailboxes: 1 },
      ...change.reservation,
    },
    approval: change.approval ?? null,
    freezes: change.freezes ?? [],
  };
}

/** What a gate answers when all is well but for this change, with the decision that its outcome asks for. */
export function askGate(gate: Gate, change: CaseChange = {}) {
  const answer = gate.ask(caseWith(change));
  const { decision } = gate.outcomes.find((one) => one.name === answer.outcome)!;
  return { ...answer, decision, reasons: answer.because.map((one) => one.reason) };
}
