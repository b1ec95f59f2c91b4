export {
  CLAIM_MS_MAX,
  type Claim,
  type ClaimAnswer,
  claimSend,
  isLost,
  obtainSendRight,
  type SenderIdentity,
  type SendRight,
  type Settlement,
  settle,
} from './claim.ts';
export { earliestSendMs, type Honour, honour, type IntendedSend } from './honour.ts';
export { providerOf, type RecipientProvider } from './recipient-provider.ts';
export {
  type DecisionMeta,
  type DecisionSubscription,
  type DecisionsOptions,
  type Handled,
  subscribeDecisions,
} from './subscribe-decisions.ts';
