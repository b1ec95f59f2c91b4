import type { Reason } from '../condition.ts';
import type { RiskName } from '../words.ts';
import { hard, type Judgement, type LayerRule, number, PASS, soft } from './layer-rule.ts';

const PROOFS = ['spf', 'dkim', 'dmarc', 'alignment'] as const;

/** DNS proves configuration only; alignment is proven by a delivered probe that we verified ourselves. */
export const sendingDomainRule: LayerRule<'sending_domain'> = {
  layer: 'sending_domain',
  owner: 'client',
  graceMs: (_fact, policy) => policy.sendingDomain.graceSec * 1000,
  judge(fact, known, { policy }): Judgement {
    switch (fact) {
      case 'spf':
        if (known.spf !== 'pass') return hard(`spf_${known.spf}` as Reason);
        // RFC 7208 4.6.4: more than ten terms, or two void lookups, are a permerror whatever else the record says.
        return number(known.spfLookups) > policy.sendingDomain.spfLookupsMax ||
          number(known.spfVoidLookups) > policy.sendingDomain.spfVoidLookupsMax
          ? hard('spf_too_many_lookups')
          : PASS;
      case 'dkim':
        if (known.dkim === 'valid') return PASS;
        return known.dkim === 'weak' ? soft('dkim_weak') : hard(`dkim_${known.dkim}` as Reason);
      case 'dmarc':
        return known.dmarc === 'present' ? PASS : hard(`dmarc_${known.dmarc}` as Reason);
      case 'alignment':
        return known.alignment === 'aligned' ? PASS : hard('misaligned');
      case 'oneClickSigned':
        return known.oneClickSigned === true ? PASS : soft('one_click_unsigned');
      default:
        return PASS;
    }
  },
  risks(known, context) {
    const risks: RiskName[] = [];
    if (
      PROOFS.some((fact) => known[fact] !== undefined && this.judge(fact, known, context).severity === 'hard')
    ) {
      risks.push(context.graceRunning ? 'domain_grace' : 'domain_auth_failing');
    }
    if (known.dkim === 'weak') risks.push('weak_dkim');
    return risks;
  },
};
