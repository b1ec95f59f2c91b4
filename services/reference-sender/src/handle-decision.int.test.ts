import { randomUUID } from 'node:crypto';
import { partitionOf } from '@orchestrate/canon';
import {
  type DecisionRecorded,
  type OutcomeReported,
  outcomeReported,
  RECIPIENTS_BUCKET,
  recipientsKey,
} from '@orchestrate/contracts';
import { type Broker, decodeLenient, readLast } from '@orchestrate/messaging';
import { startSmtpServer } from '@orchestrate/sandbox';
import { claimSend } from '@orchestrate/sender-sdk';
import { createLog } from '@orchestrate/service-kit';
import { decision, publishDecision, startTestBroker, type TestBroker } from '@orchestrate/test-kit';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startSender } from './app.ts';
import { startScriptedSmtp } from './scripted-smtp.test-support.ts';

let server: TestBroker;
let broker: Broker;
beforeAll(async () => {
  server = await startTestBroker();
  broker = server.broker;
});
afterAll(() => server[Symbol.asyncDispose]());

const KEY = 'a'.repeat(64);
const TEMPLATE = 'b'.repeat(64);

async function putRecipients(
  tenantId: string,
  leave: 'lead' | 'content' | 'mailbox' | null = null,
): Promise<void> {
  const kv = await broker.kvm.open(RECIPIENTS_BUCKET);
  const put = (key: string, value: object) => kv.put(key, JSON.stringify(value));
  const [lead, content, mailbox] = [
    recipientsKey.lead(tenantId, KEY),
    recipientsKey.content(tenantId, TEMPLATE),
    recipientsKey.mailbox(tenantId, 'sales'),
  ];
  await put(lead, {
    recipientKey: KEY,
    address: 'jo@example.org',
    verified: true,
    variables: { firstName: 'Jo' },
  });
  await put(content, { digest: TEMPLATE, subject: 'Hi', text: 'Dear {{ firstName }}' });
  await put(mailbox, {
    mailbox: 'sales',
    address: 'ann@acme.test',
    name: 'Ann',
    postalAddress: '1 Main St',
    unsubscribeUrl: 'https://acme.test/u',
  });
  if (leave) await kv.delete({ lead, content, mailbox }[leave]);
}

function released(tenantId: string, overrides: Partial<DecisionRecorded> = {}): DecisionRecorded {
  const action = { ...decision().action, recipientKey: KEY, templateDigest: TEMPLATE };
  return decision({ tenantId, action, ...overrides });
}

async function outcomeOf({ tenantId, dispatchId }: DecisionRecorded): Promise<OutcomeReported | null> {
  const subject = outcomeReported.subject({ p: partitionOf(tenantId), tenantId, dispatchId });
  const found = await readLast(broker, 'OUTCOMES', subject);
  return found && decodeLenient(outcomeReported, found.data);
}

const settledOutcomeOf = (dispatch: DecisionRecorded) =>
  vi.waitFor(
    async () => {
      const outcome = await outcomeOf(dispatch);
      if (!outcome || outcome.state === 'claimed') throw new Error('not settled yet');
      return outcome;
    },
    { timeout: 10_000, interval: 20 },
  );

async function startSenderOn(smtpUrl: string, instance = 'reference-sender-1') {
  const lines: string[] = [];
  const running = await startSender({
    name: 'reference-sender',
    instance,
    life: randomUUID(),
    broker,
    log: createLog(
      { service: 'reference-sender', instance, level: 'trace' },
      { write: (line) => lines.push(line) },
    ),
    environment: {
      SMTP_URL: smtpUrl,
      SENDER_CONCURRENCY: 4,
      NATS_URL: '',
      LOG_LEVEL: 'info',
      HEALTH_HOST: '127.0.0.1',
      HEALTH_PORT: 0,
    },
    stop: (error) => {
      throw error;
    },
  });
  return { lines, running, [Symbol.asyncDispose]: () => running.close() };
}

test('a released dispatch is sent once, says so, and no log line holds an address', async () => {
  await using smtp = await startSmtpServer();
  await using sender = await startSenderOn(smtp.url);
  await putRecipients('happy');
  const dispatch = released('happy', { constraints: { plainTextOnly: true, requireOneClick: true } });
  const seq = await publishDecision(broker, dispatch);
  expect(await settledOutcomeOf(dispatch)).toMatchObject({
    state: 'sent',
    reason: 'accepted_by_server',
    smtpCode: 250,
    sender: 'reference-sender-1',
    decisionSeq: seq,
    constraintsDigest: dispatch.constraintsDigest,
  });
  const [message] = await smtp.waitFor(1, 1_000);
  expect(message).toMatchObject({ to: ['jo@example.org'], messageId: `<${dispatch.dispatchId}@acme.test>` });
  expect(message?.raw).toContain('Dear Jo');
  expect(message?.headers.get('list-unsubscribe-post')).toBe('List-Unsubscribe=One-Click');
  await vi.waitFor(() => expect(sender.running.health()).toMatchObject({ ok: true, detail: { handled: 1 } }));
  expect(sender.lines.join()).toContain(dispatch.dispatchId);
  expect(sender.lines.join()).not.toMatch(/example\.org|ann@/);
});

test.each([
  ['lead', 'recipient_missing'],
  ['content', 'content_missing'],
  ['mailbox', 'content_missing'],
] as const)('a deleted %s is not sent to', async (missing, reason) => {
  await using smtp = await startSmtpServer();
  await using _ = await startSenderOn(smtp.url);
  await putRecipients(`no-${missing}`, missing);
  const dispatch = released(`no-${missing}`);
  await publishDecision(broker, dispatch);
  expect(await settledOutcomeOf(dispatch)).toMatchObject({ state: 'not_sent', reason });
  expect(smtp.messages).toEqual([]);
});

test('what a decision does not permit is not sent [G24]', async () => {
  await using smtp = await startSmtpServer();
  await using _ = await startSenderOn(smtp.url);
  await putRecipients('strict');
  const late = released('strict', { validUntilMs: Date.now() - 1 });
  const narrow = released('strict', { constraints: { recipientProvidersAllow: ['google'] } });
  await publishDecision(broker, late);
  await publishDecision(broker, narrow);
  expect(await settledOutcomeOf(late)).toMatchObject({ state: 'not_sent', reason: 'decision_expired' });
  expect(await settledOutcomeOf(narrow)).toMatchObject({
    state: 'not_sent',
    reason: 'constraint_not_honourable',
    constraintsDigest: narrow.constraintsDigest,
  });
  expect(smtp.messages).toEqual([]);
});

test('what the server refuses, and what nobody knows, is said as it is', async () => {
  await putRecipients('faults');
  for (const [fault, expected] of [
    ['554 looks like spam', { state: 'not_sent', reason: 'refused_by_server', smtpCode: 554 }],
    ['drop', { state: 'unknown', reason: 'connection_lost_in_data', smtpCode: null }],
  ] as const) {
    await using smtp = await startScriptedSmtp('after message', fault);
    await using _ = await startSenderOn(smtp.url);
    const dispatch = released('faults');
    await publishDecision(broker, dispatch);
    expect(await settledOutcomeOf(dispatch)).toMatchObject(expected);
    expect(smtp.messagesBegun).toBe(1);
  }
});

test('what an earlier life had claimed is not sent by the next one', async () => {
  await using smtp = await startSmtpServer();
  await putRecipients('lives');
  const dispatch = released('lives');
  const earlier = { sender: 'reference-sender-1', senderLife: randomUUID() };
  await claimSend(broker, dispatch, 1, earlier);
  await using _ = await startSenderOn(smtp.url);
  await publishDecision(broker, dispatch);
  expect(await settledOutcomeOf(dispatch)).toMatchObject({ state: 'unknown', reason: 'sender_lost' });
  expect(smtp.messages).toEqual([]);
});

test('two senders on one stream send each dispatch once [G33]', async () => {
  await using smtp = await startSmtpServer();
  await using _one = await startSenderOn(smtp.url, 'reference-sender-1');
  await using _two = await startSenderOn(smtp.url, 'reference-sender-2');
  await putRecipients('pair');
  const dispatches = Array.from({ length: 40 }, () => released('pair'));
  await Promise.all(dispatches.map((dispatch) => publishDecision(broker, dispatch)));
  // the same decision in a second record: a duplicate that the chain would never hold
  await Promise.all(dispatches.slice(0, 10).map((dispatch) => publishDecision(broker, dispatch)));
  for (const dispatch of dispatches)
    expect(await settledOutcomeOf(dispatch)).toMatchObject({ state: 'sent' });
  expect(smtp.messages).toHaveLength(40);
});

test('while no mail server answers a release is not claimed, and goes out when one does', async () => {
  const away = await startSmtpServer();
  const { url } = away;
  await away.stop();
  await using _ = await startSenderOn(url, 'patient');
  await putRecipients('patient');
  const dispatch = released('patient');
  await publishDecision(broker, dispatch);
  await vi.waitFor(async () => {
    const { num_ack_pending } = await broker.jsm.consumers.info('DECISIONS', 'senders');
    expect(num_ack_pending).toBeGreaterThan(0);
  });
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect(await outcomeOf(dispatch)).toBeNull();
  await using _back = await startSmtpServer({ port: Number(new URL(url).port) });
  await vi.waitFor(async () => expect(await outcomeOf(dispatch)).toMatchObject({ state: 'sent' }), 20_000);
});
