import type { Broker } from '@orchestrate/messaging';
import { type MetricSource, metricSource } from './metric.ts';

/** What every service shows. */
export const SERVICE_METRICS = {
  orchestrate_healthy: { kind: 'gauge', help: '1 when /healthz answers 200, else 0' },
  orchestrate_broker_connected: { kind: 'gauge', help: '1 while nats-server is there, else 0' },
  orchestrate_broker_disconnects_total: { kind: 'counter', help: 'Times that nats-server went away' },
  orchestrate_publishes_total: {
    kind: 'counter',
    label: 'answer',
    help: 'Messages that were published, by what became of them; an uncertain one is tried again',
  },
  orchestrate_publishes_in_flight: {
    kind: 'gauge',
    help: 'Messages that were published and are not answered yet',
  },
  orchestrate_publishes_waiting: {
    kind: 'gauge',
    help: 'Messages that wait because as many as may be are in flight',
  },
  orchestrate_rejected_inputs_total: {
    kind: 'counter',
    label: 'reason',
    help: 'Inputs that this instance put into REJECTED',
  },
} as const;

export function serviceMetrics(
  broker: Broker,
  is: { readonly healthy: () => boolean; readonly connected: () => boolean },
): MetricSource {
  return metricSource(SERVICE_METRICS, () => {
    const { inFlight, waiting, answers } = broker.publisher.status();
    return {
      orchestrate_healthy: Number(is.healthy()),
      orchestrate_broker_connected: Number(is.connected()),
      orchestrate_broker_disconnects_total: broker.breaks(),
      orchestrate_publishes_total: answers,
      orchestrate_publishes_in_flight: inFlight,
      orchestrate_publishes_waiting: waiting,
      orchestrate_rejected_inputs_total: broker.rejected,
    };
  });
}
