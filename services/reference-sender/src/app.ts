import { subscribeDecisions } from '@orchestrate/sender-sdk';
import type { Environment, RunningService, ServiceContext } from '@orchestrate/service-kit';
import type { environment } from './config.ts';
import { createDelivery } from './deliver.ts';
import { handleDecision } from './handle-decision.ts';
import { recipientStore } from './recipient-store.ts';
import { SendTally, senderMetrics } from './sender-metrics.ts';

export async function startSender(
  context: ServiceContext<Environment<typeof environment>>,
): Promise<RunningService> {
  const { name, instance, life, broker, log, environment } = context;
  const delivery = createDelivery(environment.SMTP_URL, { connections: environment.SENDER_CONCURRENCY });
  const sender = {
    broker,
    self: { sender: instance, senderLife: life },
    recipients: recipientStore(broker),
    deliver: delivery.deliver,
    isReachable: delivery.isReachable,
    sends: new SendTally(),
    log,
  };
  const decisions = await subscribeDecisions(broker, {
    service: name,
    concurrency: environment.SENDER_CONCURRENCY,
    handle: (decision, meta) => handleDecision(sender, decision, meta),
    onTrouble: (error, meta) => log.warn({ err: error, ...meta }, 'trying again later'),
  });
  return {
    health: () => {
      const { trouble, ...detail } = decisions.status();
      return { ok: trouble === null, detail: { ...detail, trouble } };
    },
    metrics: [senderMetrics(decisions, sender.sends)],
    close: async () => {
      await decisions.close();
      delivery.close();
    },
  };
}
