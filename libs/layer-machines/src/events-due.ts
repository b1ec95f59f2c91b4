import { isKnown } from './known-facts.ts';
import type { LayerContext } from './layer-context.ts';
import type { LayerEvent } from './layer-event.ts';

/** The moments at which time alone changes something in this context. */
export function deadlinesOf(context: LayerContext, listensToExhaustion: boolean): readonly number[] {
  const times: number[] = [];
  for (const fact of Object.values(context.facts)) {
    if (isKnown(fact) && fact.expiresAtMs !== null) times.push(fact.expiresAtMs);
  }
  for (const cooldown of Object.values(context.cooldowns)) times.push(cooldown.untilMs);
  for (const grace of Object.values(context.graces)) if (!grace.spent) times.push(grace.untilMs);
  for (const { untilMs } of Object.values(context.closures)) if (untilMs !== null) times.push(untilMs);
  if (context.setup) times.push(context.setup.deadlineMs);
  if (context.check && listensToExhaustion) times.push(context.check.deadlineMs);
  if (context.lease) times.push(context.lease.untilMs);
  return times;
}

/** What has fallen due at this time, in the order of the table. */
export function eventsDue(context: LayerContext, atMs: number): readonly LayerEvent[] {
  const events: LayerEvent[] = [];
  for (const fact of Object.values(context.facts)) {
    if (isKnown(fact) && fact.expiresAtMs !== null && fact.expiresAtMs <= atMs) {
      events.push({ type: 'fact_expired', atMs, fact: fact.fact, reason: 'expired' });
    }
  }
  for (const [cause, { untilMs }] of Object.entries(context.cooldowns)) {
    if (untilMs <= atMs) events.push({ type: 'cooldown_elapsed', atMs, cause });
  }
  for (const [fact, grace] of Object.entries(context.graces)) {
    if (!grace.spent && grace.untilMs <= atMs) events.push({ type: 'grace_expired', atMs, fact });
  }
  for (const [cause, { untilMs }] of Object.entries(context.closures)) {
    if (untilMs !== null && untilMs <= atMs) events.push({ type: 'window_opened', atMs, cause });
  }
  if (context.lease && context.lease.untilMs <= atMs) {
    events.push({ type: 'run_lost', atMs, runId: context.lease.runId });
  }
  if (context.setup && context.setup.deadlineMs <= atMs) {
    events.push({ type: 'check_exhausted', atMs, ours: false });
    events.push({ type: 'setup_done', atMs, id: context.setup.id });
  }
  // Last, because only some states listen to it and all that ends here may lead to one of them.
  if (context.check && context.check.deadlineMs <= atMs) {
    events.push({ type: 'check_exhausted', atMs, ours: false });
  }
  return events;
}
