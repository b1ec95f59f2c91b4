import { appendFile } from 'node:fs/promises';
import { type DecisionRecorded, leadSchema, RECIPIENTS_BUCKET, recipientsKey } from '@orchestrate/contracts';
import { connectBroker } from '@orchestrate/messaging';
import { honour, obtainSendRight, settle, subscribeDecisions } from '@orchestrate/sender-sdk';

const [sender = '', file = ''] = process.argv.slice(2); // node sender.ts <name of its own> <file to append to>
const self = { sender, senderLife: crypto.randomUUID() };
const broker = await connectBroker({ url: process.env.NATS_URL ?? 'nats://127.0.0.1:4222', name: sender });
const people = await broker.kvm.open(RECIPIENTS_BUCKET);
const MAIL = { text: '', oneClick: false, hasHtml: false, attachments: 0, aiGeneration: 'none' } as const;
const PLAIN = { ...MAIL, openTracking: false, clickTracking: false };

async function send(decision: DecisionRecorded) {
  const found = await people.get(recipientsKey.lead(decision.tenantId, decision.action.recipientKey));
  if (!found?.length) return { state: 'not_sent', reason: 'recipient_missing' } as const;
  const { address: to, verified } = leadSchema.parse(found.json());
  const answer = honour(decision, { ...PLAIN, to, verified, nowMs: Date.now() });
  if (!answer.ok) return { state: 'not_sent', reason: answer.reason } as const;
  await appendFile(file, `${JSON.stringify({ dispatchId: decision.dispatchId, to })}\n`);
  return { state: 'sent', reason: 'accepted_by_server' } as const;
}

const handle = async (decision: DecisionRecorded, { seq }: { seq: number }) => {
  const right = await obtainSendRight(broker, decision, seq, self);
  if (right.kind !== 'send') return right.kind === 'wait' ? right : 'done';
  const { constraintsDigest } = decision; // goes back as it came: without it the constraints count as violated
  await settle(broker, right.claim, { ...(await send(decision)), smtpCode: null, constraintsDigest });
  return 'done';
};
await subscribeDecisions(broker, { service: 'line-sender', handle });
