import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dispatches, type ManagedExecutionState } from '@orchestrate/canon';
import { describe, expect, test } from 'vitest';
import { ARCHETYPES, EVENT_DAY, FOLLOW_UP_DAYS, NEVER, PROOF_DAY } from './archetypes.ts';
import { DAYS, dayOf, MINUTE_MS } from './calendar.ts';
import { dayByDay } from './day-by-day.ts';
import { MADE_IN_THE_PAGE, PAGE, PICTURE, pictureOf, tableOf } from './picture.ts';
import { POLICY, type Story, simulate } from './simulation.ts';

const ROOT = join(import.meta.dirname, '../..');
const stories = new Map<string, Story>();
/** Each archetype is followed once, by whoever asks for it first. */
function storyOf(id: string): Story {
  const archetype = ARCHETYPES.find((one) => one.id === id);
  if (!archetype) throw new Error(`no archetype \`${id}\``);
  return stories.getOrInsertComputed(id, () => simulate(archetype));
}
const ids = ARCHETYPES.map(({ id }) => id);

describe('what must come out, on each of sixty days [G34]', () => {
  test.each<[string, string, readonly string[]]>([
    [
      'new',
      'is new and perfect: ten a day until a hundred are delivered, then free, but for the day on which it triples',
      [
        '1-10 DEGRADE_AND_APPROVE 10, HOLD_FOR_REPUTATION 20 | provisioning, autonomous',
        '11 APPROVE 21, HOLD_FOR_HUMAN_REVIEW 9 | ready, approval_required',
        '12-60 APPROVE 30 | ready, autonomous',
      ],
    ],
    [
      'new-weekdays',
      'sends on weekdays only: its tenth day of sending is the twelfth, and it is free on the next Monday',
      [
        '1-5 DEGRADE_AND_APPROVE 10, HOLD_FOR_REPUTATION 2 | provisioning, autonomous',
        '6-7 HOLD_FOR_CONTEXT 2 | provisioning, autonomous',
        '8-12 DEGRADE_AND_APPROVE 10, HOLD_FOR_REPUTATION 2 | provisioning, autonomous',
        '13-14 HOLD_FOR_CONTEXT 2 | ready, autonomous',
        '15-19 APPROVE 12 | ready, autonomous',
        ...[20, 27, 34, 41, 48, 55].flatMap((saturday) => [
          `${saturday}-${saturday + 1} nothing was asked | ready, autonomous`,
          `${saturday + 2}-${Math.min(saturday + 6, DAYS)} APPROVE 12 | ready, autonomous`,
        ]),
      ],
    ],
    [
      'new-send-only',
      'sees neither bounces nor replies: ten a day, each approved, for ever',
      ['1-60 DEGRADE_AND_APPROVE 10, HOLD_FOR_REPUTATION 2 | provisioning, approval_required'],
    ],
    [
      'new-regulated',
      'is in a regulated sector: as any other new one, each approved, for ever',
      [
        '1-10 DEGRADE_AND_APPROVE 10, HOLD_FOR_REPUTATION 2 | provisioning, approval_required',
        '11-60 APPROVE 12 | ready, approval_required',
      ],
    ],
    [
      'no-proof-yet',
      'has no delivered proof until the seed mailboxes give one, and is as any other new one from then on',
      [
        '1-3 HOLD_FOR_REPUTATION 12 | provisioning, autonomous',
        '4-13 DEGRADE_AND_APPROVE 10, HOLD_FOR_REPUTATION 2 | ready, autonomous',
        '14-60 APPROVE 12 | ready, autonomous',
      ],
    ],
    ['no-feedback-loop', 'is never told of complaints: free', ['1-60 APPROVE 8 | ready, autonomous']],
    ['eight-a-day', 'sends eight a day: free', ['1-60 APPROVE 8 | ready, autonomous']],
    ['back-from-a-break', 'comes back from a break: free', ['1-60 APPROVE 8 | ready, autonomous']],
    [
      'two-complaints',
      'had two complaints: seven days of silence, a sample of ten a day, free on the eighteenth day after',
      [
        '1-5 APPROVE 12 | ready, autonomous',
        '6-12 HOLD_FOR_HUMAN_REVIEW 12 | cooling_down, approval_required',
        '13 DEGRADE_AND_APPROVE 10, HOLD_FOR_REPUTATION 12, hold_expired 2 | probation, autonomous',
        '14-22 DEGRADE_AND_APPROVE 10, HOLD_FOR_REPUTATION 2 | probation, autonomous',
        '23-60 APPROVE 12 | ready, autonomous',
      ],
    ],
    [
      'bad-list',
      'wrote to a bad list: seven days of silence, a release, supervised for its sample, free on the eighteenth',
      [
        '1-4 APPROVE 12 | ready, autonomous',
        '5 APPROVE 76, HOLD_FOR_HUMAN_REVIEW 4 | ready, autonomous',
        '6-11 HOLD_FOR_HUMAN_REVIEW 12 | cooling_down, draft_only',
        '12 HOLD_FOR_HUMAN_REVIEW 12, hold_expired 4 | cooling_down, draft_only',
        '13 DEGRADE_AND_APPROVE 10, HOLD_FOR_REPUTATION 2, hold_expired 8 | probation, supervised',
        '14-22 DEGRADE_AND_APPROVE 10, HOLD_FOR_REPUTATION 2 | probation, supervised',
        '23-60 APPROVE 12 | ready, autonomous',
      ],
    ],
    ['our-outage', 'was there in our outage: free on every day', ['1-60 APPROVE 8 | ready, autonomous']],
    [
      'unresolved-outcome',
      'has one message of which nobody knows: one person waits, everybody else is written to',
      [
        '1-3 APPROVE 6 | ready, autonomous',
        '4-7 APPROVE 12 | ready, autonomous',
        '8 APPROVE 11, HOLD_FOR_HUMAN_REVIEW 1 | ready, autonomous',
        '9-14 APPROVE 12, HOLD_FOR_HUMAN_REVIEW 1 | ready, autonomous',
        '15 APPROVE 12, hold_expired 1 | ready, autonomous',
        '16-60 APPROVE 12 | ready, autonomous',
      ],
    ],
  ])('%s: %s', (id, _, expected) => {
    expect(dayByDay(storyOf(id))).toEqual(expected);
  });
});

/** By decision, the gate that decides and its outcome, and the layer's own state. */
type Verdict = readonly [kind: string, cause: string, state: ManagedExecutionState, mode: string];

describe('never dispatches, rightly [G34]', () => {
  test.each<[string, Verdict]>([
    ['unpaid', ['BLOCK', 'not_entitled not_entitled', 'client_action', 'autonomous']],
    ['never-proven', ['BLOCK', 'identity_unauthenticated failing', 'client_action', 'approval_required']],
    [
      'never-delivered',
      ['HOLD_FOR_REPUTATION', 'identity_unauthenticated unknown', 'provisioning', 'autonomous'],
    ],
    ['unscoped-app', ['BLOCK', 'mailbox_incapable incapable', 'operator_review', 'approval_required']],
    ['frozen', ['BLOCK', 'operator_freeze frozen', 'operator_review', 'autonomous']],
    ['draft-only', ['HOLD_FOR_HUMAN_REVIEW', 'human_authority_required draft_only', 'ready', 'draft_only']],
    ['no-basis', ['BLOCK', 'lawful_basis_absent absent', 'client_action', 'autonomous']],
    [
      'no-jurisdiction',
      ['HOLD_FOR_HUMAN_REVIEW', 'lawful_basis_absent unknown', 'client_action', 'approval_required'],
    ],
    ['no-import', ['HOLD_FOR_CONTEXT', 'context_insufficient insufficient', 'client_action', 'autonomous']],
    [
      'blind-follow-ups',
      ['HOLD_FOR_REPLY_RISK', 'reply_or_duplicate_risk unknown', 'degraded', 'approval_required'],
    ],
  ])('%s', (id, verdict) => {
    const { archetype, days } = storyOf(id);
    expect(days).toHaveLength(DAYS);
    for (const { day, kinds, sends, mainCause, states, mode } of days) {
      const asked = Object.entries(kinds).filter(([, count]) => count > 0);
      expect(asked, `day ${day}`).toEqual([[verdict[0], 3]]);
      expect([sends, mainCause, states[archetype.layer!], mode], `day ${day}`).toEqual([
        0,
        ...verdict.slice(1),
      ]);
    }
  });

  test('failing-domain: a key that is gone has three days of grace, in which nothing proves it either', () => {
    const story = storyOf('failing-domain');
    expect(dayByDay(story)).toEqual([
      '1-3 HOLD_FOR_REPUTATION 3 | grace, autonomous',
      '4 BLOCK 6 | client_action, approval_required',
      '5-60 BLOCK 3 | client_action, approval_required',
    ]);
    const causes = new Set(story.days.map(({ mainCause }) => mainCause));
    expect([...causes]).toEqual([
      'identity_unauthenticated grace_unproven',
      'identity_unauthenticated failing',
    ]);
  });

  test('all of them are here, and none sends on any day', () => {
    for (const { id } of NEVER) {
      const { decisions, days } = storyOf(id);
      expect(
        decisions.filter(({ kind }) => dispatches(kind)),
        id,
      ).toEqual([]);
      expect(
        days.reduce((sum, { sends }) => sum + sends, 0),
        id,
      ).toBe(0);
      expect(decisions.length, id).toBeGreaterThan(50);
    }
  });

  test('a hold that nobody can end waits for seven days and is then refused', () => {
    for (const id of ['never-delivered', 'draft-only', 'no-jurisdiction', 'no-import', 'blind-follow-ups']) {
      const expired = storyOf(id).days.flatMap(({ day, expired: count }) =>
        count > 0 ? [[day, count]] : [],
      );
      expect(expired, id).toEqual([8, 15, 22, 29, 36, 43, 50, 57].map((day) => [day, 3]));
    }
  });
});

describe.each(ids.filter((id) => !NEVER.some((never) => never.id === id)))('%s, at every dispatch', (id) => {
  const sent = () => storyOf(id).decisions.filter(({ kind }) => dispatches(kind));

  test('no gate said no, the mailbox was in no stop, and a person had looked where one has to', () => {
    for (const { dispatchId, against, pacing, mode, approved, underReview } of sent()) {
      expect(against, dispatchId).toEqual([]);
      expect(pacing, dispatchId).not.toBe('cooling_down');
      expect(pacing, dispatchId).not.toBe('operator_review');
      expect(mode, dispatchId).not.toBe('draft_only');
      expect(approved, dispatchId).toBe(mode === 'approval_required');
      expect(underReview, dispatchId).toBe(mode === 'supervised');
    }
  });

  test('never more than the cap of a day, never before the gap is over, never twice for one dispatch', () => {
    const cap = storyOf(id).archetype.capPerDay ?? POLICY.pacing.capPerMailboxDay;
    const { explorationPerMailboxDay } = POLICY.dispatch;
    for (const [day, all] of Map.groupBy(sent(), ({ atMs }) => dayOf(atMs))) {
      expect(all.length, `day ${day}`).toBeLessThanOrEqual(cap);
      const degraded = all.filter(({ kind }) => kind === 'DEGRADE_AND_APPROVE');
      expect(degraded.length, `day ${day}`).toBeLessThanOrEqual(explorationPerMailboxDay);
    }
    const times = sent().map(({ atMs }) => atMs);
    const gaps = times.slice(1).map((atMs, index) => atMs - times[index]!);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(POLICY.pacing.minGapSec * 1000);
    expect(new Set(sent().map(({ dispatchId }) => dispatchId)).size).toBe(times.length);
  });
});

describe('what happens inside a day', () => {
  test('in our outage nobody is blocked: what was asked waits, and goes out as soon as we are back', () => {
    const { archetype, decisions } = storyOf('our-outage');
    const { fromMs, toMs } = archetype.outage!;
    const held = decisions.filter(({ kind }) => !dispatches(kind));
    expect(held.map(({ kind, blocker, outcome }) => [kind, blocker, outcome])).toEqual([
      ['HOLD_FOR_CONTEXT', 'operator_freeze', 'stale'],
    ]);
    const [waiting] = held;
    expect(waiting!.atMs).toBeGreaterThan(fromMs);
    const release = decisions.find(
      ({ dispatchId, kind }) => dispatchId === waiting!.dispatchId && dispatches(kind),
    );
    expect(release!.atMs).toBeGreaterThanOrEqual(toMs);
    expect(release!.atMs).toBeLessThan(toMs + 2 * MINUTE_MS);
    expect(release!.kind).toBe('APPROVE');
  });

  test('only the person of whose message nobody knows waits, for the follow-up and for nobody else', () => {
    const { decisions } = storyOf('unresolved-outcome');
    const held = decisions.filter(({ kind }) => !dispatches(kind));
    expect(held.map(({ kind, blocker, outcome }) => [kind, blocker, outcome])).toEqual([
      ['HOLD_FOR_HUMAN_REVIEW', 'reply_or_duplicate_risk', 'unresolved_outcome'],
      ['BLOCK', 'human_authority_required', 'hold_expired'],
    ]);
    expect(new Set(held.map(({ recipientKey }) => recipientKey)).size).toBe(1);
    expect(dayOf(held[0]!.atMs)).toBe(EVENT_DAY + FOLLOW_UP_DAYS);
    const first = decisions.find(({ recipientKey }) => recipientKey === held[0]!.recipientKey);
    expect(dayOf(first!.atMs)).toBe(EVENT_DAY);
  });

  test.each(['two-complaints', 'bad-list'])(
    '%s: nothing goes out for seven days, and then degraded',
    (id) => {
      const { decisions } = storyOf(id);
      const stop = decisions.findIndex(({ pacing }) => pacing === 'cooling_down');
      const last = decisions.slice(0, stop).findLast(({ kind }) => dispatches(kind));
      const next = decisions.slice(stop).find(({ kind }) => dispatches(kind));
      expect(next!.atMs - last!.atMs).toBeGreaterThanOrEqual(POLICY.pacing.quarantineSec * 1000);
      expect(next!.kind).toBe('DEGRADE_AND_APPROVE');
    },
  );

  test('after a bad list nothing goes out before a person has released it, and all of it is looked at until it has proven itself', () => {
    const { decisions } = storyOf('bad-list');
    const reviewed = decisions.filter(({ underReview }) => underReview);
    expect(reviewed).toHaveLength(100);
    const waited = decisions.filter(({ pacing }) => pacing === 'operator_review');
    expect(waited.length).toBeGreaterThan(0);
    expect(Math.max(...waited.map(({ atMs }) => atMs))).toBeLessThan(reviewed[0]!.atMs);
  });

  test('without a delivered proof nothing goes out, and with it something does on the same day', () => {
    const sent = storyOf('no-proof-yet').decisions.filter(({ kind }) => dispatches(kind));
    expect(dayOf(sent[0]!.atMs)).toBe(PROOF_DAY);
  });
});

test('the same archetype has the same story every time', () => {
  const { archetype, days, decisions } = storyOf('eight-a-day');
  expect(simulate(archetype)).toEqual({ archetype, days, decisions });
});

describe('the page about them', () => {
  const all = () => ids.map(storyOf);

  test('shows the picture of what was simulated', () => {
    expect(readFileSync(join(ROOT, PICTURE), 'utf8')).toBe(pictureOf(all()));
  });

  test('has the table of what was simulated', () => {
    const page = readFileSync(join(ROOT, PAGE), 'utf8');
    expect(page).toContain(`${MADE_IN_THE_PAGE}\n\n${tableOf(all())}\n\n`);
  });
});
