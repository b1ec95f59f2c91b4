import { setTimeout as sleep } from 'node:timers/promises';
import { publishObservation } from '@orchestrate/client';
import { connectBroker } from '@orchestrate/messaging';
import { createTransport } from 'nodemailer';

/** node probe.ts <tenant> <mailbox> <smtp url> [seconds between two looks] */
const [tenantId = '', mailbox = '', url = '', everySec = '600'] = process.argv.slice(2);
const { NATS_URL = 'nats://127.0.0.1:4222' } = process.env;
const broker = await connectBroker({ url: NATS_URL, name: `probe-${mailbox}` });
const server = createTransport({ url, connectionTimeout: 5_000, greetingTimeout: 5_000 });

/** Connects, says EHLO and signs in. Only the server's own word is a yes or a no; anything else is unknown. */
async function look() {
  try {
    await server.verify();
    return { canSend: true, token: 'active' };
  } catch (error) {
    const { code, responseCode = 0 } = error as { code?: string; responseCode?: number };
    if (code === 'EAUTH' && responseCode >= 500) return { canSend: false, token: 'inactive_unspecified' };
    const unknown = code === 'ETIMEDOUT' ? 'timeout' : 'no_answer';
    return { canSend: { unknown }, token: { unknown } } as const;
  }
}

for (;;) {
  const facts = await look();
  await publishObservation(broker, { tenantId, layer: 'mailbox', source: mailbox, observer: 'smtp', facts });
  await sleep(Number(everySec) * 1000);
}
