import type { CauseWanted, KnownFacts, LayerRule, RuleContext } from '@orchestrate/canon';
import type { LayerContext } from './layer-context.ts';
import type { LayerEvent } from './layer-event.ts';

/**
 * What the present facts call for beside pass and fail. Holds and set-ups follow the facts; a cooldown starts only
 * when its cause is new; nothing here releases a hold.
 */
export function causeEvents(
  rule: LayerRule,
  context: LayerContext,
  known: { readonly before: KnownFacts; readonly now: KnownFacts },
  moment: RuleContext & { readonly isReport: boolean },
): readonly LayerEvent[] {
  const { atMs, isReport } = moment;
  const wanted = rule.causes?.(known.now, moment) ?? [];
  const wantedBefore = rule.causes?.(known.before, moment) ?? [];
  const isNew = (cause: CauseWanted) => !stands(wantedBefore, cause.kind, cause.cause);
  const follows = (cause: string) => rule.follows?.some((followed) => followed === cause) ?? false;
  const events: LayerEvent[] = [];
  for (const one of wanted) {
    const { kind, cause } = one;
    if (kind === 'hold') events.push({ type: 'operator_hold', atMs, cause });
    else if (kind === 'closure') events.push({ type: 'window_closed', atMs, cause, untilMs: one.untilMs });
    // Told again after its end, what called for a stop calls for the next one; during it, it is the same stop. Where
    // counters tell what came after a stop, its old counts call for nothing.
    else if (
      kind === 'cooldown' &&
      (isNew(one) || (isReport && !rule.counters && !(cause in context.cooldowns)))
    ) {
      events.push({ type: 'adverse_event', atMs, cause, untilMs: one.untilMs });
    } else if (kind === 'setup' && isNew(one)) {
      events.push({ type: 'setup_started', atMs, id: cause, deadlineMs: one.untilMs });
    } else if (kind === 'lease' && isNew(one)) {
      events.push({ type: 'run_started', atMs, runId: `run-${atMs}`, untilMs: one.untilMs });
    }
  }
  // A run that nobody speaks of any more is not finished: its lease runs out.
  if (context.lease && (known.now as { readonly run?: unknown }).run === 'idle') {
    events.push({ type: 'run_finished', atMs, runId: context.lease.runId });
  }
  for (const cause of Object.keys(context.closures)) {
    if (follows(cause) && !stands(wanted, 'closure', cause))
      events.push({ type: 'window_opened', atMs, cause });
  }
  if (context.setup && follows(context.setup.id) && !stands(wanted, 'setup', context.setup.id)) {
    events.push({ type: 'setup_done', atMs, id: context.setup.id });
  }
  return events;
}

function stands(causes: readonly CauseWanted[], kind: CauseWanted['kind'], cause: string): boolean {
  return causes.some((other) => other.kind === kind && other.cause === cause);
}
