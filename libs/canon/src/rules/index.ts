import type { CanonicalBlockerLayer } from '../words.ts';
import { billingRule } from './billing.ts';
import { campaignRule } from './campaign.ts';
import { continuityWindowRule } from './continuity-window.ts';
import { dataRule } from './data.ts';
import { governanceRule } from './governance.ts';
import type { LayerRule } from './layer-rule.ts';
import { mailboxRule } from './mailbox.ts';
import { pacingRule } from './pacing.ts';
import { providerHealthRule } from './provider-health.ts';
import { sendingDomainRule } from './sending-domain.ts';

/** From facts to what they mean, layer by layer. */
export const LAYER_RULES: { readonly [L in CanonicalBlockerLayer]: LayerRule<L> } = {
  billing: billingRule,
  sending_domain: sendingDomainRule,
  mailbox: mailboxRule,
  provider_health: providerHealthRule,
  governance: governanceRule,
  continuity_window: continuityWindowRule,
  pacing: pacingRule,
  campaign: campaignRule,
  data: dataRule,
};

export function ruleOf(layer: CanonicalBlockerLayer): LayerRule {
  return LAYER_RULES[layer] as unknown as LayerRule;
}
