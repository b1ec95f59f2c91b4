import type { CauseWanted, Judgement, LayerRule } from './layer-rule.ts';
import { hard, number, PASS, soft, unknown } from './layer-rule.ts';

/** An AI provider as we reach it. 529 and 503 are theirs, 429 is ours, 402 and a spend limit are money. */
export const providerHealthRule: LayerRule<'provider_health'> = {
  layer: 'provider_health',
  owner: 'orchestrate',
  requalification: { needed: (policy) => policy.providerHealth.probationReports },
  judge(fact, known, { policy }): Judgement {
    switch (fact) {
      case 'reachable':
        return known.reachable === true ? PASS : unknown('provider_unreachable');
      case 'samples5m':
        return number(known.samples5m) >= policy.providerHealth.samplesMin
          ? PASS
          : unknown('too_few_samples');
      case 'p95Ms':
        return number(known.p95Ms) > policy.providerHealth.p95BandsMs[2] ? soft('slow') : PASS;
      case 'errorRatio5m':
        return number(known.errorRatio5m) > policy.providerHealth.errorRatioMax ? soft('errors_high') : PASS;
      case 'errorClass':
        if (known.errorClass === 'spend_limit' || known.errorClass === 'auth') {
          const reason = known.errorClass === 'auth' ? 'credential_refused' : 'spend_limit';
          return hard(reason, known.clientKey === true ? 'client' : 'orchestrate');
        }
        return known.errorClass === 'timeout' || known.errorClass === 'server' ? soft('errors_high') : PASS;
      case 'fallbackInUse':
        return known.fallbackInUse === true ? soft('fallback_in_use') : PASS;
      default:
        return PASS;
    }
  },
  causes(known, { policy, atMs }): readonly CauseWanted[] {
    if (known.errorClass !== 'overloaded' && known.errorClass !== 'rate_limited') return [];
    const waitSec = number(known.retryAfterSec, policy.providerHealth.cooldownSec);
    return [{ kind: 'cooldown', cause: known.errorClass, untilMs: atMs + waitSec * 1000 }];
  },
  risks: (known) =>
    known.fallbackInUse === true || known.outputLinted === false ? ['ai_fallback_or_unlinted_output'] : [],
};
