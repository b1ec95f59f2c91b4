import { describe, expect, test } from 'vitest';
import {
  type CaseChange,
  type Changes,
  caseWith,
  DAY_MS,
  HOUR_MS,
  lost,
  NOW_MS,
} from './dispatch-case.test-support.ts';
import { answerRationale, stepDueAtMs, supported, UNANSWERED } from './rationale.ts';
import type { RationaleQuestion } from './words.ts';

const answer = (question: RationaleQuestion, change: CaseChange = {}) =>
  answerRationale(caseWith(change)).find((one) => one.question === question)!;
const code = (question: RationaleQuestion, change: CaseChange = {}) => answer(question, change).code;
const layers = (changes: Changes): CaseChange => ({ layers: changes });

test('when all is well seven answers support the dispatch, each with what it rests on [G18]', () => {
  const answers = answerRationale(caseWith());
  expect(answers.map((one) => one.code)).toEqual([
    'verified_import',
    'step_due',
    'only_eligible',
    'question',
    'all_fresh_pass',
    'neutral_lint',
    'step_within_touch_budget',
  ]);
  for (const one of answers) {
    expect(supported(one)).toBe(true);
    expect(one.evidence.length).toBeGreaterThan(0);
  }
});

test('each answer names the facts that it was computed from [G18]', () => {
  const evidence = Object.fromEntries(
    answerRationale(caseWith()).map((one) => [one.question, one.evidence.join(' ')]),
  );
  expect(evidence).toEqual({
    whyProspect: 'data/crm/provenanceShare',
    whyNow: 'campaign/spring/campaignState',
    whyMailbox: 'pacing/anna/capToday',
    whyCta: 'campaign/spring/cta',
    // The first eight are enough to look at.
    whyConfidence:
      'billing/main/subscriptionStatus billing/main/paymentMethod billing/main/entitlementRemaining ' +
      'sending_domain/acme-example/spf sending_domain/acme-example/dkim sending_domain/acme-example/dmarc ' +
      'sending_domain/acme-example/alignment mailbox/anna/identityClass',
    whyTone: 'campaign/spring/tone',
    whySilenceNotSafer: 'pacing/anna/band',
  });
});

test.each<[string, Changes, string]>([
  ['billing', { billing: { facts: { paymentMethod: lost('no_answer') } } }, 'billing/main/paymentMethod'],
  [
    'the domain',
    { sending_domain: { facts: { dmarc: lost('timeout') } } },
    'sending_domain/acme-example/dmarc',
  ],
  ['the mailbox', { mailbox: { facts: { canSend: lost('no_answer') } } }, 'mailbox/anna/canSend'],
  ['governance', { governance: { facts: { freeze: lost('heartbeat_lost') } } }, 'governance/main/freeze'],
  ['pacing', { pacing: { facts: { capToday: lost('heartbeat_lost') } } }, 'pacing/anna/capToday'],
  ['a band that is no sample', { pacing: { facts: { band: lost('heartbeat_lost') } } }, 'pacing/anna/band'],
  ['the campaign', { campaign: { facts: { lint: lost('no_answer') } } }, 'campaign/spring/lint'],
  ['the import', { data: { facts: { importState: lost('expired') } } }, 'data/crm/importState'],
])('there is no confidence without an answer of %s [G19]', (_, changes, evidence) => {
  expect(answer('whyConfidence', layers(changes))).toEqual({
    question: 'whyConfidence',
    code: 'insufficient',
    evidence: [evidence],
  });
});

test('answers that cannot be computed support nothing, and are the same seven [G19]', () => {
  expect(UNANSWERED.map((one) => one.question)).toEqual(
    answerRationale(caseWith()).map((one) => one.question),
  );
  expect(UNANSWERED.map((one) => `${one.code} ${one.evidence.length}`)).toEqual([
    'unknown 0',
    'unknown 0',
    'unknown 0',
    'unknown 0',
    'insufficient 0',
    'unknown 0',
    'silence_safer 0',
  ]);
});

describe('why now [G19]', () => {
  const interval = 2 * DAY_MS;
  const second = (lastTouchAtMs: number | null): CaseChange => ({
    action: { step: 2 },
    recipient: { lastTouchAtMs, touches: 1 },
  });

  test('a step is due at its time and not a millisecond before', () => {
    expect(code('whyNow', second(NOW_MS - interval))).toBe('step_due');
    expect(code('whyNow', second(NOW_MS - interval + 1))).toBe('too_soon');
    expect(stepDueAtMs(caseWith(second(NOW_MS - interval + 1)))).toBe(NOW_MS + 1);
    expect(stepDueAtMs(caseWith())).toBeNull();
  });

  test('a first step of a second campaign waits for the interval like any other message to the same person', () => {
    const first = (lastTouchAtMs: number): CaseChange => ({
      action: { step: 1 },
      recipient: { lastTouchAtMs, touches: 1 },
    });
    expect(code('whyNow', first(NOW_MS - interval + 1))).toBe('too_soon');
    expect(code('whyNow', first(NOW_MS - interval))).toBe('step_due');
  });

  test('a later step to somebody who never got the first has no time', () => {
    expect(code('whyNow', second(null))).toBe('no_time_basis');
  });

  test('a campaign that does not run, or of which nobody knows, gives no reason', () => {
    expect(code('whyNow', layers({ campaign: { facts: { campaignState: 'paused' } } }))).toBe(
      'no_time_basis',
    );
    expect(code('whyNow', layers({ campaign: { facts: { campaignState: lost('expired') } } }))).toBe(
      'unknown',
    );
    expect(code('whyNow', { fresh: false })).toBe('unknown');
  });
});

test.each<[string, CaseChange, string]>([
  [
    'the mailbox of the thread',
    { recipient: { lastMailbox: 'anna' }, reservation: { headroom: { own: 0, best: 1, mailboxes: 3 } } },
    'thread_owner',
  ],
  [
    'one of several with room',
    { reservation: { headroom: { own: 0.8, best: 1, mailboxes: 3 } } },
    'best_headroom',
  ],
  [
    'one just as good as the tie allows',
    { reservation: { headroom: { own: 0, best: 0.2, mailboxes: 3 } } },
    'best_headroom',
  ],
  ['merely its turn', { reservation: { headroom: { own: 0.79, best: 1, mailboxes: 3 } } }, 'rotation_only'],
  ['none that the campaign has', { reservation: { headroom: { own: 1, best: 0, mailboxes: 0 } } }, 'unknown'],
])('why this mailbox: %s [G19]', (_, change, expected) => {
  expect(code('whyMailbox', change)).toBe(expected);
});

describe('why this confidence [G19]', () => {
  const sample = layers({ pacing: { facts: { band: lost('insufficient_sample') } } });

  test('a soft failure is named, an unknown is not talked away', () => {
    expect(answer('whyConfidence', layers({ sending_domain: { facts: { dkim: 'weak' } } }))).toMatchObject({
      code: 'pass_soft_fail',
      evidence: ['sending_domain/acme-example/dkim'],
    });
    expect(
      answer('whyConfidence', layers({ mailbox: { facts: { token: lost('unreachable') } } })),
    ).toMatchObject({
      code: 'insufficient',
      evidence: ['mailbox/anna/token'],
    });
  });

  test('a budget bounds the unknown of a small sample, and nothing else', () => {
    expect(code('whyConfidence', sample)).toBe('bounded_unknown');
    expect(code('whyConfidence', { ...sample, reservation: { budget: 'spent' } })).toBe('insufficient');
    const noBand = layers({ pacing: { facts: { capToday: lost('insufficient_sample') } } });
    expect(code('whyConfidence', noBand)).toBe('insufficient');
    const proof = layers({ sending_domain: { facts: { alignment: lost('no_delivered_proof') } } });
    expect(code('whyConfidence', proof)).toBe('insufficient');
  });

  test('another mailbox in trouble is none of this message’s business', () => {
    const other = caseWith({ action: { mailbox: 'anna' }, layers: {} });
    expect(other.reading.required('mailbox', 'anna').every((fact) => fact.verdict === 'pass')).toBe(true);
    expect(code('whyConfidence', { layers: { provider_health: { facts: { reachable: false } } } })).toBe(
      'all_fresh_pass',
    );
  });
});

test('what the template asks and how it sounds comes from the lint, never from the caller [G19]', () => {
  expect(code('whyCta', layers({ campaign: { facts: { cta: null } } }))).toBe('unknown');
  expect(code('whyCta', layers({ campaign: { facts: { cta: 'multiple_ctas' } } }))).toBe('multiple_ctas');
  expect(code('whyTone', layers({ campaign: { facts: { tone: lost('expired') } } }))).toBe('unknown');
});

test('a tie goes to silence [G20]', () => {
  expect(code('whySilenceNotSafer', layers({ campaign: { facts: { campaignState: 'done' } } }))).toBe(
    'silence_safer',
  );
  for (const band of ['watch', 'throttled', 'quarantined', 'blocked']) {
    expect(code('whySilenceNotSafer', layers({ pacing: { facts: { band } } }))).toBe('silence_equal');
  }
  expect(code('whySilenceNotSafer', { recipient: { touches: 3 } })).toBe('step_within_touch_budget');
  expect(code('whySilenceNotSafer', { recipient: { touches: 4 } })).toBe('silence_equal');
});

describe('whoever waits for a message gets it, also from a mailbox in trouble [G20]', () => {
  const watch = layers({ pacing: { facts: { band: 'watch' } } });

  test.each(['reply_owed', 'commitment_due'] as const)('%s', (conversation) => {
    const change = { ...watch, recipient: { conversation, touches: 9, lastMailbox: 'anna' } };
    expect(code('whySilenceNotSafer', change)).toBe(conversation);
    const said = { ...watch, recipient: { conversation, touches: 9, lastMailbox: 'ben' } };
    expect(code('whySilenceNotSafer', said)).toBe('silence_equal');
  });

  test('what was asked for, by consent that is on record', () => {
    const asked = { ...watch, action: { prospect: 'inbound_interest' } } as const;
    expect(code('whySilenceNotSafer', asked)).toBe('opted_in_expectation');
    expect(code('whySilenceNotSafer', { ...asked, recipient: { touches: 4 } })).toBe('silence_equal');
    const elsewhere = { governance: { facts: { lawfulBasis: 'customer' } } };
    expect(code('whySilenceNotSafer', { ...asked, ...layers({ ...watch.layers, ...elsewhere }) })).toBe(
      'silence_equal',
    );
  });
});

test('an answer that is owed is due at once, and a promise is a reason of its time [G20]', () => {
  const soon = { lastTouchAtMs: NOW_MS - HOUR_MS, touches: 1, lastMailbox: 'anna' };
  expect(code('whyNow', { recipient: { ...soon, conversation: 'reply_owed' } })).toBe('reply_owed');
  expect(code('whyNow', { recipient: { ...soon, conversation: 'commitment_due' } })).toBe('trigger_recent');
  expect(code('whyNow', { recipient: soon })).toBe('too_soon');
});

test('a last word is out of place in a first message [G19]', () => {
  const breakup = layers({ campaign: { facts: { cta: 'breakup' } } });
  expect(code('whyCta', breakup)).toBe('stage_mismatch');
  expect(code('whyCta', { ...breakup, action: { step: 2 } })).toBe('breakup');
});

test('resolvers that disagree are a conflict and not merely too little [G19]', () => {
  const disagreeing = layers({ sending_domain: { facts: { spf: lost('disagreement') } } });
  expect(code('whyConfidence', disagreeing)).toBe('conflicting');
});
