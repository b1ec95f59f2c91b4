import type { Reason } from '../condition.ts';
import { WINDOW_REASONS } from '../facts.ts';
import {
  type CauseWanted,
  hard,
  type Judgement,
  type LayerRule,
  number,
  PASS,
  soft,
  unknown,
} from './layer-rule.ts';

export const continuityWindowRule: LayerRule<'continuity_window'> = {
  layer: 'continuity_window',
  owner: 'orchestrate',
  follows: WINDOW_REASONS,
  judge(fact, known, { policy, atMs }): Judgement {
    switch (fact) {
      case 'windowReason':
        return known.windowReason === 'tz_unknown' ? unknown('tz_unknown') : PASS;
      case 'lastRunOutcome':
        switch (known.lastRunOutcome) {
          case 'never':
            return unknown('never_ran');
          case 'failed':
            return soft('last_run_failed');
          case 'partial':
            return soft('last_run_partial');
          case 'missed':
            return soft('last_run_missed');
          default:
            return PASS;
        }
      case 'nextRun': {
        const overdueMs = atMs - number(known.nextRun, Number.POSITIVE_INFINITY);
        const allowedMs = number(known.cadenceSec) * 1000 * policy.continuity.overdueCadences;
        return known['window.open'] === true && overdueMs > allowedMs ? hard('run_overdue') : PASS;
      }
      case 'clockSkewMs':
        return number(known.clockSkewMs) > policy.continuity.clockSkewMaxMs ? unknown('clock_skew') : PASS;
      default:
        return PASS;
    }
  },
  causes(known, { policy, atMs }): readonly CauseWanted[] {
    const causes: CauseWanted[] = [];
    if (known.run === 'running') {
      const untilMs = atMs + policy.continuity.leaseSec * 1000;
      causes.push({ kind: 'lease', cause: 'run_holds_it', untilMs });
    }
    if (known['window.open'] === false) {
      const cause = (known.windowReason ?? 'out_of_hours') as Reason;
      causes.push({ kind: 'closure', cause, untilMs: null });
    }
    return causes;
  },
  risks(known, context) {
    const skewed = number(known.clockSkewMs) > context.policy.continuity.clockSkewMaxMs;
    const overdue = this.judge('nextRun', known, context).severity === 'hard';
    return skewed || overdue ? ['clock_or_scheduler_fault'] : [];
  },
};
