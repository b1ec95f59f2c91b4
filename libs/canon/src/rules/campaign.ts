import { type CauseWanted, hard, type Judgement, type LayerRule, number, PASS, soft } from './layer-rule.ts';

export const campaignRule: LayerRule<'campaign'> = {
  layer: 'campaign',
  owner: 'client',
  follows: ['campaign_paused', 'campaign_done'],
  requalification: { needed: (policy) => policy.campaign.probationReports },
  judge(fact, known): Judgement {
    switch (fact) {
      case 'campaignState':
        return known.campaignState === 'draft' ? hard('campaign_draft') : PASS;
      case 'approval':
        return known.approval === 'none' ? hard('not_approved') : PASS;
      case 'lint':
        if (known.lint === 'fail') return hard('lint_fail');
        return known.lint === 'warn' ? soft('lint_warn') : PASS;
      case 'unresolvedVars':
        return number(known.unresolvedVars) === 0 ? PASS : hard('variables_unresolved');
      case 'optOut':
        return known.optOut === true ? PASS : hard('no_opt_out');
      case 'address':
        return known.address === true ? PASS : soft('no_postal_address');
      case 'bindings':
        if (known.bindings === 'broken') return hard('bindings_broken');
        return known.bindings === 'partial' ? soft('bindings_partial') : PASS;
      default:
        return PASS;
    }
  },
  causes(known, { policy, atMs }): readonly CauseWanted[] {
    const causes: CauseWanted[] = [];
    if (known.approval === 'drifted') causes.push({ kind: 'hold', cause: 'digest_drift' });
    if (known.campaignState === 'auto_paused') {
      const untilMs = atMs + policy.campaign.autoPauseSec * 1000;
      causes.push({ kind: 'cooldown', cause: 'campaign_auto_paused', untilMs });
    }
    if (known.run === 'running') {
      const untilMs = atMs + policy.campaign.leaseSec * 1000;
      causes.push({ kind: 'lease', cause: 'run_holds_it', untilMs });
    }
    if (known.campaignState === 'paused')
      causes.push({ kind: 'closure', cause: 'campaign_paused', untilMs: null });
    if (known.campaignState === 'done')
      causes.push({ kind: 'closure', cause: 'campaign_done', untilMs: null });
    return causes;
  },
  risks: (known) => (known.approval === 'drifted' ? ['template_digest_drift'] : []),
};
