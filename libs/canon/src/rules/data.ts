import type { RiskName } from '../words.ts';
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

export const dataRule: LayerRule<'data'> = {
  layer: 'data',
  owner: 'client',
  follows: ['import_running', 'queue_empty'],
  deadlines: (known) => (typeof known.importDueAt === 'number' ? [known.importDueAt] : []),
  judge(fact, known, { policy, atMs }): Judgement {
    switch (fact) {
      case 'importState':
        switch (known.importState) {
          case 'never':
            return hard('no_import');
          case 'failed_client':
            return hard('import_failed_client');
          case 'failed_internal':
            return hard('import_failed_internal', 'orchestrate');
          case 'running':
            return { ...unknown('import_running'), background: true };
          default:
            return number(known.importDueAt, Number.POSITIVE_INFINITY) < atMs ? hard('import_overdue') : PASS;
        }
      case 'verifiedShare':
        return number(known.verifiedShare) >= policy.data.verifiedShareMin
          ? PASS
          : soft('verified_share_low');
      case 'provenanceShare':
        return number(known.provenanceShare) >= policy.data.provenanceShareMin
          ? PASS
          : soft('provenance_low');
      case 'suppressionSyncAgeSec':
        return number(known.suppressionSyncAgeSec) <= policy.data.suppressionSyncMaxSec
          ? PASS
          : unknown('suppression_stale');
      default:
        return PASS;
    }
  },
  causes(known, { policy, atMs }): readonly CauseWanted[] {
    if (known.importState === 'running') {
      return [{ kind: 'setup', cause: 'import_running', untilMs: atMs + policy.data.importMaxSec * 1000 }];
    }
    return known.importState === 'done' && known.queueReady === 0
      ? [{ kind: 'closure', cause: 'queue_empty', untilMs: null }]
      : [];
  },
  risks(known, { policy }) {
    const risks: RiskName[] = [];
    if (
      known.provenanceShare !== undefined &&
      number(known.provenanceShare) < policy.data.provenanceShareMin
    ) {
      risks.push('data_provenance_unknown');
    }
    if (number(known.suppressionSyncAgeSec) > policy.data.suppressionSyncMaxSec)
      risks.push('suppression_sync_stale');
    if (known.verifiedShare !== undefined && number(known.verifiedShare) < policy.data.verifiedShareMin) {
      risks.push('verified_share_low');
    }
    if (number(known.importAgeH) > policy.data.importStaleH) risks.push('import_stale');
    return risks;
  },
};
