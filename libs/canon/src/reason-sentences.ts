import type { Reason } from './condition.ts';
import type { RequestReason } from './gates/gate.ts';

/** A closed code in a person's words: what it says, and what ends it where somebody can. */
export interface ReasonSentence {
  readonly means: string;
  readonly remedy?: string;
}

const POLICY_LOOK = 'see whether the numbers are as expected; it passes when they are';

/** Complete: a reason without a sentence does not compile. */
export const REASON_SENTENCES: Readonly<Record<Reason | RequestReason, ReasonSentence>> = {
  ok: { means: 'nothing is wrong' },

  // honest unknowns
  no_delivered_proof: {
    means: 'no message of this domain was seen delivered yet',
    remedy: 'deliver a probe to a seed mailbox and report `alignment` and `oneClickSigned` as evidence',
  },
  never_ran: { means: 'no run was reported yet', remedy: 'the first run, or its evidence, answers it' },
  insufficient_sample: {
    means: 'too few delivered messages to judge the reputation',
    remedy: 'sending within the exploration budget grows the sample',
  },
  unobservable: {
    means: 'bounces or complaints of this mailbox cannot be seen',
    remedy: 'connect a feedback loop or a mailbox that can be read',
  },
  never_observed: { means: 'nobody has looked yet', remedy: 'start the probe, or report it as evidence' },
  expired: { means: 'the last answer is too old to count', remedy: 'it has to be observed again' },
  no_answer: { means: 'the source did not answer', remedy: 'it is asked again' },
  timeout: {
    means: 'no answer came in time',
    remedy: 'see whether the name servers answer; it is asked again',
  },
  servfail: {
    means: 'the name server failed (SERVFAIL)',
    remedy: 'see whether the zone is served and signed correctly; it is asked again',
  },
  refused: {
    means: 'the name server refused to answer',
    remedy: 'see whether the resolver may ask for this zone; it is asked again',
  },
  unreachable: { means: 'the source cannot be reached', remedy: 'it is asked again' },
  disagreement: { means: 'two resolvers gave different answers', remedy: 'it is asked again' },
  multiple_keys: {
    means: 'several keys stand at one DKIM selector',
    remedy: 'leave one TXT record at the selector',
  },
  name_too_long: { means: 'the name to ask for is too long', remedy: 'use a shorter domain or selector' },
  tz_unknown: { means: 'the time zone is not known', remedy: 'name an IANA zone in the schedule' },
  unrecognised_value: { means: 'the answer is none that is known', remedy: 'report it to the operator' },
  too_few_samples: { means: 'too few calls to judge the provider', remedy: 'synthetic probes add samples' },
  recheck_requested: { means: 'a new check was asked for', remedy: 'the next answer decides' },
  probe_fault: { means: 'our probe failed', remedy: 'see the log of evidence-probes' },
  handler_fault: { means: 'our own handling of an input failed', remedy: 'see the stream REJECTED' },
  heartbeat_lost: {
    means: 'the source that watches this fell silent',
    remedy: 'see whether evidence-probes is up',
  },
  truth_stale: {
    means: 'the truth is not kept up to date at the moment',
    remedy: 'see `orchestrate doctor`: layer-runtime or truth-aggregator is down or behind',
  },

  // billing
  past_due: { means: 'an invoice is past due', remedy: 'pay the invoice' },
  incomplete: { means: 'the first payment is not complete', remedy: 'complete the first payment' },
  unpaid: { means: 'invoices are unpaid', remedy: 'pay the invoices' },
  canceled: { means: 'the subscription is canceled', remedy: 'subscribe again' },
  paused: { means: 'the subscription is paused', remedy: 'add a payment method and resume it' },
  incomplete_expired: { means: 'the first payment never came', remedy: 'subscribe again' },
  trial_over: { means: 'the trial is over and there is no payment method', remedy: 'add a payment method' },
  entitlement_used_up: {
    means: 'all paid sends are used up',
    remedy: 'buy more sends or wait for the period',
  },
  payment_expiring: { means: 'the payment method expires within 30 days', remedy: 'renew it' },
  payment_expired: { means: 'the payment method has expired', remedy: 'renew it' },
  payment_missing: { means: 'there is no payment method', remedy: 'add one' },

  // sending_domain
  spf_fail: { means: 'SPF forbids the sending address', remedy: 'allow it in the SPF record' },
  spf_softfail: {
    means: 'SPF does not allow the sending address (softfail)',
    remedy: 'allow it in the SPF record',
  },
  spf_neutral: {
    means: 'SPF says nothing about the sending address',
    remedy: 'allow it in the SPF record',
  },
  spf_none: { means: 'there is no SPF record', remedy: 'publish a TXT record `v=spf1 ...`' },
  spf_permerror: { means: 'the SPF record is broken', remedy: 'leave one valid `v=spf1` record' },
  spf_too_many_lookups: {
    means: 'the SPF record needs more than 10 DNS lookups (RFC 7208)',
    remedy: 'shorten it',
  },
  dkim_weak: { means: 'the DKIM key is weak (RFC 8301)', remedy: 'publish an RSA key of 2048 bits' },
  dkim_revoked: { means: 'the DKIM key is revoked', remedy: 'publish the key that signs' },
  dkim_malformed: { means: 'the DKIM record is broken', remedy: 'publish a valid `v=DKIM1` record' },
  dkim_missing: { means: 'there is no key at the DKIM selector', remedy: 'publish the key at it' },
  dkim_not_discoverable: { means: 'no DKIM selector is configured', remedy: 'name it in the tenant file' },
  dmarc_none: {
    means: 'there is no DMARC record',
    remedy: 'publish a TXT record `v=DMARC1; p=none` at `_dmarc`',
  },
  dmarc_multiple: { means: 'there are several DMARC records', remedy: 'leave one' },
  dmarc_invalid: { means: 'the DMARC record is broken', remedy: 'mend its `p` tag (RFC 9989)' },
  misaligned: {
    means: 'a delivered message was not aligned with the From domain',
    remedy: 'sign with the From domain, or send with a bounce address of it',
  },
  one_click_unsigned: {
    means: 'the one-click headers are not covered by the DKIM signature (RFC 8058)',
    remedy: 'sign List-Unsubscribe and List-Unsubscribe-Post',
  },

  // mailbox
  invalid_grant: { means: 'the access grant was revoked or has ended', remedy: 'connect the mailbox again' },
  inactive_unspecified: { means: 'the token is inactive', remedy: 'connect the mailbox again' },
  cannot_send: { means: 'the mailbox may not send', remedy: 'grant it the right to send' },
  bounces_invisible: {
    means: 'bounces of this mailbox cannot be seen',
    remedy: 'grant the right to read the mailbox',
  },
  replies_unreadable: {
    means: 'replies to this mailbox cannot be read',
    remedy: 'grant the right to read the mailbox',
  },
  identity_unscoped: {
    means: 'the grant reaches every mailbox of the organisation',
    remedy: 'limit the application to the mailboxes that it needs',
  },
  scope_drift: {
    means: 'the granted rights have changed',
    remedy: 'look at the grant and release the layer',
  },
  quota_full: { means: 'the quota of the mailbox is used up for today', remedy: 'it opens again tomorrow' },
  provider_throttles: { means: 'the provider throttles the mailbox', remedy: 'it is tried again later' },
  connecting: { means: 'the mailbox is being connected' },

  // provider_health
  provider_unreachable: { means: 'the AI provider does not answer', remedy: 'it is asked again' },
  spend_limit: { means: 'the spending limit at the AI provider is reached', remedy: 'raise it' },
  credential_refused: { means: 'the AI provider refused the key', remedy: 'replace the key' },
  overloaded: { means: 'the AI provider is overloaded', remedy: 'it is tried again when it said' },
  rate_limited: { means: 'the AI provider limits our rate', remedy: 'it is tried again when it said' },
  slow: { means: 'the AI provider is slow', remedy: POLICY_LOOK },
  errors_high: { means: 'many calls to the AI provider fail', remedy: POLICY_LOOK },
  fallback_in_use: { means: 'the fallback provider is in use', remedy: 'it ends with the fallback' },

  // governance
  freeze: { means: 'the tenant is frozen', remedy: 'end it with `orchestrate unfreeze <tenant>`' },
  freeze_all: { means: 'everything is frozen', remedy: 'end it with `orchestrate unfreeze --all`' },
  policy_unreadable: { means: 'the policy cannot be read', remedy: 'put a valid policy in force' },
  audit_sink_down: { means: 'the audit cannot be written', remedy: 'see the health of nats-server' },
  basis_absent: { means: 'there is no lawful basis to write', remedy: 'declare one in the tenant file' },
  basis_unknown: { means: 'no lawful basis is declared', remedy: 'declare one in the tenant file' },
  jurisdiction_undeclared: {
    means: 'no jurisdiction is declared',
    remedy: 'declare it in the tenant file',
  },
  sector_undeclared: { means: 'no sector is declared', remedy: 'declare it in the tenant file' },

  // continuity_window
  operator_freeze: { means: 'the window is closed by an operator' },
  maintenance: { means: 'maintenance is announced', remedy: 'it opens when maintenance is over' },
  tenant_paused: { means: 'the tenant has paused itself', remedy: 'set `paused: false` in the tenant file' },
  holiday: { means: 'today is a holiday of the schedule', remedy: 'it opens with the next run' },
  quiet_hours: { means: 'it is in the quiet hours', remedy: 'it opens after them' },
  out_of_hours: { means: 'it is outside the hours of the schedule', remedy: 'it opens with them' },
  in_hours: { means: 'the window is open' },
  last_run_failed: { means: 'the last run failed', remedy: 'a completed run ends it' },
  last_run_partial: { means: 'the last run did not finish', remedy: 'a completed run ends it' },
  last_run_missed: { means: 'the last run did not take place', remedy: 'a completed run ends it' },
  run_overdue: { means: 'a run is overdue', remedy: 'see whether the scheduler runs' },
  clock_skew: { means: 'clocks differ by more than the policy allows', remedy: 'synchronise the clock' },
  run_holds_it: { means: 'a run is in progress' },
  run_lost: { means: 'a run ended without a word', remedy: 'the next run answers it' },

  // pacing
  band_watch: { means: 'bounces or complaints are at the watch edge', remedy: POLICY_LOOK },
  band_throttled: { means: 'bounces or complaints are too high', remedy: 'send less and to verified people' },
  band_quarantined: {
    means: 'bounces or complaints stopped this mailbox',
    remedy: 'it cools down, then requalifies',
  },
  band_blocked: {
    means: 'bounces or complaints blocked this mailbox',
    remedy: 'an operator has to review it',
  },
  cap_reached: { means: "today's cap of the mailbox is reached", remedy: 'it opens again tomorrow (UTC)' },
  requalifying: { means: 'the mailbox proves itself again', remedy: 'delivered messages end it' },

  // campaign
  campaign_draft: { means: 'the campaign is a draft', remedy: 'set it active in the tenant file' },
  campaign_paused: { means: 'the campaign is paused', remedy: 'set it active in the tenant file' },
  campaign_auto_paused: { means: 'the campaign was paused by a rule', remedy: 'it cools down' },
  campaign_done: { means: 'the campaign is done' },
  not_approved: {
    means: 'the templates of the campaign are not approved',
    remedy: 'set `approved: true` in the tenant file',
  },
  digest_drift: {
    means: 'a template changed after it was approved',
    remedy: 'approve it anew, then release the layer',
  },
  lint_fail: { means: 'the templates do not pass the lint', remedy: '`tenant apply` names what to mend' },
  lint_warn: { means: 'the lint warns of the templates', remedy: '`tenant apply` names what to mend' },
  variables_unresolved: {
    means: 'a template uses variables that nothing fills in',
    remedy: '`tenant apply` names them',
  },
  no_opt_out: {
    means: 'a message offers no way to unsubscribe',
    remedy: 'use `unsubscribeUrl` in each template and give every mailbox one',
  },
  no_postal_address: {
    means: 'a message names no postal address',
    remedy: 'use `sender.postalAddress` in each template',
  },
  bindings_broken: { means: 'the campaign has no usable mailbox', remedy: 'bind an enabled mailbox to it' },
  bindings_partial: {
    means: 'some mailboxes of the campaign are not usable',
    remedy: 'enable or unbind them',
  },

  // data
  no_import: { means: 'no list was ever imported', remedy: 'import one with `orchestrate leads import`' },
  import_overdue: { means: 'the list is overdue for a new import', remedy: 'import it again' },
  import_running: { means: 'the list is being imported' },
  import_failed_client: {
    means: 'the import failed because of the file',
    remedy: 'mend the file, import again',
  },
  import_failed_internal: { means: 'the import failed on our side', remedy: 'import it again' },
  suppression_stale: {
    means: 'the suppression list was not synchronised lately',
    remedy: 'synchronise it',
  },
  verified_share_low: { means: 'too few addresses are verified', remedy: 'verify the list' },
  provenance_low: {
    means: 'of too many people nobody knows where they come from',
    remedy: 'add it to the list',
  },
  queue_empty: { means: 'nobody is left to write to', remedy: 'import more people' },

  // any layer
  not_required: { means: 'the tenant does not use this' },
  verifying: { means: 'the check is in flight' },
  operator_hold: { means: 'an operator holds the layer', remedy: 'an operator has to release it' },
  risks_compound: {
    means: 'two high risks stood together, and both are over now',
    remedy: 'an operator looks at them and releases the layer',
  },
  setup_overdue: { means: 'setting it up takes longer than it may', remedy: 'see what the set-up waits for' },

  // the request, the ledger, the canon's own rules
  recipient_suppressed: { means: 'the person is on the suppression list' },
  suppression_unknown: { means: 'the suppression list could not be asked', remedy: 'it is asked again' },
  touched_before: { means: 'this message was released to the person before' },
  replied: { means: 'the person has replied', remedy: 'answer the reply by hand' },
  out_of_office: { means: 'the person is away', remedy: 'it is asked for again later' },
  touched_by_colleague: {
    means: 'a colleague is in contact with the person',
    remedy: 'leave the person to the colleague',
  },
  conversation_unknown: {
    means: 'the state of the conversation is not known',
    remedy: 'tell it in the list',
  },
  outcome_unresolved: {
    means: 'of an earlier message to the person nobody knows whether it went out',
    remedy: 'a person has to find out',
  },
  slot_taken: { means: "today's slots of the mailbox are taken", remedy: 'it is asked again tomorrow (UTC)' },
  gap_not_over: {
    means: 'the minimum gap after the last message is not over',
    remedy: 'its turn comes by itself',
  },
  budget_spent: {
    means: "today's exploration budget is spent",
    remedy: 'it is there again tomorrow (UTC)',
  },
  rationale_unsupported: {
    means: 'a question of the rationale has no answer that supports sending',
    remedy: 'see the eight answers',
  },
  approval_missing: {
    means: 'a person has to approve it',
    remedy: 'approve it with `orchestrate approve <tenant> <dispatch>`',
  },
  approval_expired: { means: 'the approval has expired', remedy: 'approve it again' },
  approval_mismatch: { means: 'what was approved is not this action', remedy: 'approve this one' },
  draft_only: {
    means: 'the governance mode only drafts; no approval helps',
    remedy: 'end the risks that make it so, or lower the choice of the tenant',
  },
  constraint_unsatisfiable: {
    means: 'the constraints of a degraded send leave nothing to send',
    remedy: 'end what degrades it',
  },
  gate_faulted: { means: 'asking the gate failed', remedy: 'see the log of dispatch-governance' },
  identity_mismatch: {
    means: 'campaign, mailbox, step and template do not belong together',
    remedy: 'ask with what the tenant file binds',
  },
  source_disabled: { means: 'a source that the request names is disabled', remedy: 'enable it' },
  hold_expired: { means: 'the hold waited longer than it may' },
  rejected_by_operator: { means: 'a person rejected it' },
  tenant_offboarded: { means: 'the tenant has left' },
};
