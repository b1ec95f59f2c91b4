import type { RiskName } from '../words.ts';
import { type CauseWanted, hard, type Judgement, type LayerRule, PASS } from './layer-rule.ts';

export const governanceRule: LayerRule<'governance'> = {
  layer: 'governance',
  owner: 'operator',
  judge(fact, known): Judgement {
    switch (fact) {
      case 'lawfulBasis':
        if (known.lawfulBasis === 'none') return hard('basis_absent', 'client');
        return known.lawfulBasis === 'unknown' ? hard('basis_unknown', 'client') : PASS;
      case 'jurisdiction':
        return known.jurisdiction === 'undeclared' ? hard('jurisdiction_undeclared', 'client') : PASS;
      case 'sector':
        return known.sector === 'undeclared' ? hard('sector_undeclared', 'client') : PASS;
      case 'policyReadable':
        return known.policyReadable === true ? PASS : hard('policy_unreadable', 'orchestrate');
      case 'auditSink':
        return known.auditSink === 'healthy' ? PASS : hard('audit_sink_down', 'orchestrate');
      default:
        return PASS;
    }
  },
  causes: (known): readonly CauseWanted[] =>
    known.freeze === true ? [{ kind: 'hold', cause: 'freeze' }] : [],
  risks(known, { policy }) {
    const risks: RiskName[] = [];
    if (policy.regulatedSectors.some((sector) => sector === known.sector)) risks.push('sector_regulated');
    if (known.jurisdiction === 'undeclared') risks.push('jurisdiction_unknown');
    if (known.auditSink === 'down') risks.push('audit_sink_unhealthy');
    return risks;
  },
};
