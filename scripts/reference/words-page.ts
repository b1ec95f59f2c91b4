import {
  CANONICAL_BLOCKER_LAYERS,
  type CanonicalBlockerLayer,
  CHECK_VERDICTS,
  DISPATCH_BLOCKERS,
  DISPATCH_DECISIONS,
  type DispatchBlocker,
  type DispatchDecision,
  dispatches,
  FACTS,
  factSpec,
  GATES,
  GOVERNANCE_MODES,
  type GovernanceMode,
  LANES,
  MANAGED_EXECUTION_STATES,
  type ManagedExecutionState,
  RATIONALE_CODES,
  RATIONALE_QUESTIONS,
  type RationaleQuestion,
  REASON_SENTENCES,
  RISK_NAMES,
  RISKS,
  ruleOf,
  stateToBucket,
} from '@orchestrate/canon';
import { cell, code, list, MADE, table } from './markdown.ts';

const LAYERS: Readonly<Record<CanonicalBlockerLayer, string>> = {
  billing: 'is the subscription paid, and are sends left',
  sending_domain: 'may this domain send: SPF, DKIM, DMARC, and a delivered proof',
  mailbox: 'can this mailbox send, and does it see bounces and replies',
  provider_health: 'does the AI provider work, where one is used',
  governance: 'sector, jurisdiction, lawful basis, and whether a person has frozen it',
  continuity_window: 'is the window of the schedule open, and did the last run go well',
  pacing: 'what bounces, complaints, caps and warm-up allow this mailbox today',
  campaign: 'is the campaign active, approved, linted and bound to mailboxes',
  data: 'is there a fresh list, verified and of known origin, and a fresh suppression list',
};

const STATES: Readonly<Record<ManagedExecutionState, string>> = {
  ready: 'every required fact passes and is fresh',
  executing: 'a run holds the layer',
  cooling_down: 'stopped for a known time after an adverse event',
  probation: 'passes again, and still has to prove itself',
  degraded: 'usable, with a soft failure',
  grace: 'a fact that passed before fails, within a dated deadline',
  unknown: 'a required fact has no fresh answer',
  verifying: 'a first check, or one that is owed, is in flight',
  provisioning: 'being set up: a warm-up, an import, a first proof, a sample',
  scheduled: 'nothing is wrong, it is only not now',
  client_action: 'only the client can end it',
  operator_review: 'a person has to decide',
  internal_fault: 'something of ours has failed',
};

const DECISIONS: Readonly<Record<DispatchDecision, string>> = {
  APPROVE: 'may be sent now',
  DEGRADE_AND_APPROVE: 'may be sent now, under constraints that the sender has to honour',
  HOLD_FOR_CONTEXT: 'not now: something about it is not known, not due or not fresh',
  HOLD_FOR_REPUTATION: 'not now: sending would harm the domain or the mailbox, or its slot is not there yet',
  HOLD_FOR_REPLY_RISK: 'not now: the person has replied, is away, or talks to a colleague',
  HOLD_FOR_HUMAN_REVIEW: 'not now: a person has to decide',
  BLOCK: 'no, and for this dispatch never',
};

const GATE_QUESTIONS: Readonly<Record<DispatchBlocker, string>> = {
  operator_freeze: 'has a person stopped the tenant, or everything',
  recipient_suppressed: 'is the person on the suppression list',
  lawful_basis_absent: 'is there a lawful basis to write',
  not_entitled: 'is it paid for',
  identity_unauthenticated: 'is the sending domain proven',
  mailbox_incapable: 'can the mailbox do it',
  reputation_unsafe: 'do reputation, caps and gaps allow it',
  reply_or_duplicate_risk: 'was the person written to, or has the person answered',
  context_insufficient: 'do campaign, list, window and the answers support it',
  human_authority_required: 'does the governance mode want a person first',
};

const MODES: Readonly<Record<GovernanceMode, string>> = {
  autonomous: 'decides and dispatches',
  supervised: 'dispatches, and a person looks at it afterwards',
  approval_required: 'a person first approves each one',
  draft_only: 'drafts, and never dispatches; no approval helps',
};

const QUESTIONS: Readonly<Record<RationaleQuestion, string>> = {
  whyProspect: 'why this person',
  whyNow: 'why now',
  whyMailbox: 'why from this mailbox',
  whyCta: 'why ask for this',
  whyConfidence: 'how sure are we',
  whyTone: 'why in this tone',
  whyDispatchSafe: 'why is sending safe',
  whySilenceNotSafer: 'why is silence not the safer choice',
};

const MAIN_SOURCES: Readonly<Record<CanonicalBlockerLayer, string>> = {
  billing: '`main`',
  sending_domain: 'each domain',
  mailbox: 'each mailbox',
  provider_health: 'the AI provider',
  governance: '`main`',
  continuity_window: '`main`',
  pacing: 'each mailbox',
  campaign: 'each campaign',
  data: 'each import',
};

export const layerTable = (): string =>
  table(
    ['layer', 'owner', 'answers for', 'what it asks'],
    CANONICAL_BLOCKER_LAYERS.map((layer) => [
      code(layer),
      ruleOf(layer).owner,
      MAIN_SOURCES[layer],
      LAYERS[layer],
    ]),
  );

export const stateTable = (): string =>
  table(
    ['state', 'bucket', 'meaning'],
    MANAGED_EXECUTION_STATES.map((state) => [code(state), code(stateToBucket(state)), STATES[state]]),
  );

export const decisionTable = (): string =>
  table(
    ['decision', 'dispatches', 'meaning'],
    DISPATCH_DECISIONS.map((kind) => [code(kind), dispatches(kind) ? 'yes' : 'no', DECISIONS[kind]]),
  );

export const gateTable = (): string =>
  table(
    ['#', 'gate', 'asks'],
    DISPATCH_BLOCKERS.map((blocker, index) => [String(index + 1), code(blocker), GATE_QUESTIONS[blocker]]),
  );

export function wordsPage(): string {
  const parts = [
    `# Words\n\n${MADE}\n\nEvery word that stands on the wire, in a table of a command or in a record. The lists are closed: a word that is not here does not occur.`,
    `## Verdicts\n\n${list(CHECK_VERDICTS)}: unknown means that it cannot be told yet. It is never taken for a pass and never reported as a failure.`,
    `## Nine layers\n\n${layerTable()}`,
    `## Thirteen states, seven buckets\n\n${stateTable()}`,
    `## Facts\n\n${factTables()}`,
    `## Seven decisions\n\n${decisionTable()}`,
    `## Ten gates\n\nHardest gate first. All ten are asked; of their outcomes the hardest decides, and a tie names the lowest number.\n\n${gateOutcomes()}`,
    `## Eight answers\n\n${answers()}`,
    `## Governance modes\n\nFrom free to strict; risk only ever moves to the right.\n\n${table(
      ['mode', 'meaning'],
      GOVERNANCE_MODES.map((mode) => [code(mode), MODES[mode]]),
    )}`,
    `## Risks\n\nOne high risk makes the mode at least \`approval_required\`, two make it \`draft_only\`; two medium ones make it at least \`supervised\`. A latched risk goes from active to serving (one medium) and ends with probation.\n\n${table(
      ['risk', 'level', 'layer', 'latched'],
      RISK_NAMES.map((risk) => [
        code(risk),
        RISKS[risk].level,
        code(RISKS[risk].layer),
        RISKS[risk].latched ? 'yes' : 'no',
      ]),
    )}`,
    `## Lanes of a hold\n\n${list(LANES)}: a hold waits in the lane of the person who can end it, else in the watch lane, where time or a probe ends it.`,
    `## Reasons\n\n${table(
      ['reason', 'what it says', 'what to do'],
      Object.entries(REASON_SENTENCES).map(([reason, { means, remedy }]) => [
        code(reason),
        cell(means),
        cell(remedy ?? ''),
      ]),
    )}`,
  ];
  return `${parts.join('\n\n')}\n`;
}

function factTables(): string {
  return CANONICAL_BLOCKER_LAYERS.map((layer) => {
    const rows = Object.keys(FACTS[layer]).map((fact) => {
      const spec = factSpec(layer, fact)!;
      const values =
        spec.kind === 'enum' ? list(spec.values) : spec.kind === 'boolean' ? 'true or false' : spec.unit;
      const age = spec.age === 'folded' ? 'folded' : `\`maxAgeSec.${spec.age}\``;
      return [code(fact), cell(values), spec.required ? 'required' : 'informs', age];
    });
    return `### ${layer}\n\n${table(['fact', 'values or unit', 'use', 'good for'], rows)}`;
  }).join('\n\n');
}

function gateOutcomes(): string {
  return table(
    ['#', 'gate', 'asks', 'outcomes, mild to hard'],
    GATES.map(({ blocker, outcomes }, index) => [
      String(index + 1),
      code(blocker),
      GATE_QUESTIONS[blocker],
      outcomes.map(({ name, decision }) => `${name} → ${decision}`).join('<br>'),
    ]),
  );
}

function answers(): string {
  return table(
    ['question', '', 'supports sending', 'does not'],
    RATIONALE_QUESTIONS.map((question) => [
      code(question),
      QUESTIONS[question],
      list(RATIONALE_CODES[question].supports),
      list(RATIONALE_CODES[question].opposes),
    ]),
  );
}
