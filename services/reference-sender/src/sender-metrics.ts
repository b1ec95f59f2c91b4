import { SETTLED_OUTCOMES, type SettledOutcome } from '@orchestrate/contracts';
import type { DecisionSubscription } from '@orchestrate/sender-sdk';
import { CONSUMER_LAG, type MetricSource, metricSource } from '@orchestrate/service-kit';

/** What reference-sender shows beside what every service shows. */
export const SENDER_METRICS = {
  orchestrate_consumer_lag_messages: CONSUMER_LAG,
  orchestrate_decisions_open: {
    kind: 'gauge',
    help: 'Decisions that some sender took up and is not done with, those that wait for their time included',
  },
  orchestrate_decisions_in_progress: { kind: 'gauge', help: 'Decisions that this instance is obeying' },
  orchestrate_decisions_handled_total: {
    kind: 'counter',
    help: 'Decisions that are done with, whoever settled them',
  },
  orchestrate_sends_claimed_total: {
    kind: 'counter',
    help: 'Sends that this instance claimed, each the only try of its release',
  },
  orchestrate_sends_settled_total: {
    kind: 'counter',
    label: 'state',
    help: 'Sends whose outcome this instance recorded; those of a lost sender are unknown',
  },
} as const;

/** What became of the sends of this instance, since its start. */
export class SendTally {
  claimed = 0;
  readonly settled = Object.fromEntries(SETTLED_OUTCOMES.map((state) => [state, 0])) as Record<
    SettledOutcome,
    number
  >;
}

export function senderMetrics(decisions: DecisionSubscription, sends: SendTally): MetricSource {
  return metricSource(SENDER_METRICS, async () => {
    const { inProgress, handled } = decisions.status();
    const backlog = await decisions.backlog();
    return {
      orchestrate_consumer_lag_messages: backlog && { DECISIONS: backlog.untaken },
      orchestrate_decisions_open: backlog?.open ?? null,
      orchestrate_decisions_in_progress: inProgress,
      orchestrate_decisions_handled_total: handled,
      orchestrate_sends_claimed_total: sends.claimed,
      orchestrate_sends_settled_total: sends.settled,
    };
  });
}
