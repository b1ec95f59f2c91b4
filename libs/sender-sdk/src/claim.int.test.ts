import { randomUUID } from 'node:crypto';
import { partitionOf } from '@orchestrate/canon';
import { type OutcomeReported, outcomeReported } from '@orchestrate/contracts';
import { decodeLenient, readLast } from '@orchestrate/messaging';
import { decision, startTestBroker, type TestBroker } from '@orchestrate/test-kit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Claim, claimSend, obtainSendRight, settle } from './claim.ts';

let server: TestBroker;
beforeAll(async () => {
  server = await startTestBroker();
});
afterAll(() => server[Symbol.asyncDispose]());

const life = (sender: string) => ({ sender, senderLife: randomUUID() });
const SENT = { state: 'sent', reason: 'accepted_by_server', smtpCode: 250, constraintsDigest: null } as const;

async function outcomeOf(dispatchId: string): Promise<OutcomeReported> {
  const subject = outcomeReported.subject({ p: partitionOf('acme'), tenantId: 'acme', dispatchId });
  return decodeLenient(outcomeReported, (await readLast(server.broker, 'OUTCOMES', subject))!.data);
}

async function claimed(dispatch: ReturnType<typeof decision>, self = life('a')): Promise<Claim> {
  const right = await obtainSendRight(server.broker, dispatch, 7, self);
  if (right.kind !== 'send') throw new Error(`expected the claim, got ${right.kind}`);
  return right.claim;
}

test('of two rivals exactly one claims each of a hundred dispatches [G33]', async () => {
  const rivals = await Promise.all([server.connect('one'), server.connect('two')]);
  const dispatches = Array.from({ length: 100 }, () => decision());
  const answers = await Promise.all(
    dispatches.flatMap((dispatch) =>
      rivals.map((broker, n) => claimSend(broker, dispatch, 7, life(`rival-${n}`))),
    ),
  );
  expect(answers.filter(({ kind }) => kind === 'claimed')).toHaveLength(100);
  expect(answers.filter(({ kind }) => kind === 'claimed_by_other')).toHaveLength(100);
  const claims = new Set(answers.map((answer) => (answer.kind === 'claimed' ? answer.dispatchId : '')));
  for (const { dispatchId } of dispatches) expect(claims).toContain(dispatchId);
});

test('a claim is settled once, and tells its outcome to whoever asks later', async () => {
  const dispatch = decision();
  const claim = await claimed(dispatch);
  expect(await settle(server.broker, claim, SENT)).toMatchObject({ kind: 'settled' });
  expect(await outcomeOf(dispatch.dispatchId)).toMatchObject({
    state: 'sent',
    reason: 'accepted_by_server',
    smtpCode: 250,
    decisionSeq: 7,
    causedBy: 'DECISIONS/7',
  });
  expect(await obtainSendRight(server.broker, dispatch, 7, life('b'))).toMatchObject({
    kind: 'settled',
    outcome: { state: 'sent' },
  });
});

test('while another sender is at it, one waits', async () => {
  const dispatch = decision();
  await claimed(dispatch, life('a'));
  const before = Date.now();
  const right = await obtainSendRight(server.broker, dispatch, 7, life('b'));
  if (right.kind !== 'wait') throw new Error(`expected to wait, got ${right.kind}`);
  expect(right.retryAtMs).toBeGreaterThan(before);
  expect(right.retryAtMs).toBeLessThan(before + 10_000);
});

test('a decision that comes twice to one life is not cleared away under its own feet', async () => {
  const [dispatch, self] = [decision(), life('a')];
  await claimed(dispatch, self);
  expect(await obtainSendRight(server.broker, dispatch, 7, self)).toMatchObject({ kind: 'wait' });
});

test('the claim of an earlier life ends as unknown and is never sent again [G33]', async () => {
  const dispatch = decision();
  await claimed(dispatch, life('a'));
  const unknown = { state: 'unknown', reason: 'sender_lost', constraintsDigest: null };
  const next = life('a');
  expect(await obtainSendRight(server.broker, dispatch, 7, next)).toMatchObject({
    kind: 'lost',
    outcome: unknown,
  });
  expect(await outcomeOf(dispatch.dispatchId)).toMatchObject(unknown);
  expect(await obtainSendRight(server.broker, dispatch, 7, next)).toMatchObject({ kind: 'settled' });
});

test('the claim of a sender that never came back ends as unknown once it is old', async () => {
  const dispatch = decision();
  await claimed(dispatch, life('a'));
  await new Promise((resolve) => setTimeout(resolve, 20));
  const right = await obtainSendRight(server.broker, dispatch, 7, life('b'), { claimMsMax: 10 });
  expect(right).toMatchObject({ kind: 'lost' });
});

test('a sender that was taken for lost cannot say afterwards that it sent', async () => {
  const dispatch = decision();
  const claim = await claimed(dispatch, life('a'));
  await obtainSendRight(server.broker, dispatch, 7, life('a'));
  expect(await settle(server.broker, claim, SENT)).toMatchObject({
    kind: 'overruled',
    outcome: { state: 'unknown', reason: 'sender_lost' },
  });
  expect(await outcomeOf(dispatch.dispatchId)).toMatchObject({ state: 'unknown' });
});
