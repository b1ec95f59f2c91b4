import { allOf, anyOf, type CheckVerdict, type UnknownReason } from '@orchestrate/canon';
import type { DKIMResult, DKIMVerifyResult, SPFResult } from 'mailauth';
import { getAlignment } from 'mailauth/lib/tools.js';
import { coversOneClick } from './one-click.ts';
import type { QuestionWatch } from './watch-questions.ts';

/** What one check of a message says, in strong Kleene logic, and why if it cannot tell. */
export type Finding =
  | { readonly verdict: Exclude<CheckVerdict, 'unknown'> }
  | { readonly verdict: 'unknown'; readonly reason: UnknownReason };

export interface SignatureFinding {
  /** Whether the signature passes and its domain aligns with From. */
  readonly aligned: Finding;
  readonly coversOneClick: boolean;
}

const PASS: Finding = { verdict: 'pass' };
const FAIL: Finding = { verdict: 'fail' };

/** A pass decides, else the first unknown. */
export function eitherOf(findings: readonly Finding[]): Finding {
  const verdict = anyOf(findings.map((finding) => finding.verdict));
  return findings.find((finding) => finding.verdict === verdict) ?? FAIL;
}

/** A fail decides, else the first unknown. */
function bothOf(findings: readonly Finding[]): Finding {
  const verdict = allOf(findings.map((finding) => finding.verdict));
  return findings.find((finding) => finding.verdict === verdict) ?? PASS;
}

export function signatureFindings(
  dkim: DKIMVerifyResult,
  domain: string,
  watch: QuestionWatch,
): SignatureFinding[] {
  return dkim.results.map((signature) => ({
    aligned: bothOf([relaxedAlignment(domain, signature.signingDomain), signatureVerdict(signature, watch)]),
    coversOneClick: coversOneClick(signature.signingHeaders?.keys ?? ''),
  }));
}

/** The domain of SPF is that of the envelope sender, or the HELO name under the null reverse-path. */
export function spfFinding(spf: SPFResult, domain: string, watch: QuestionWatch): Finding {
  return bothOf([relaxedAlignment(domain, spf.domain), spfVerdict(spf, watch)]);
}

function relaxedAlignment(domain: string, other: string | undefined): Finding {
  return other !== undefined && getAlignment(domain, [other]) !== false ? PASS : FAIL;
}

/**
 * An expired signature was good in its time (RFC 6376 3.5, `x=`), and it is we who look late. A signature that
 * breaks on the message itself fails without its key.
 */
function signatureVerdict({ status, selector, signingDomain }: DKIMResult, watch: QuestionWatch): Finding {
  if (status.result === 'pass') return PASS;
  if (status.result === 'neutral' && status.comment === 'expired') return unknown('expired');
  if (status.result !== 'temperror') return FAIL;
  return unknown(watch.keyTrouble(`${selector}._domainkey.${signingDomain}`) ?? 'no_answer');
}

/**
 * RFC 7208 5.5 lets a DNS error in a `ptr` term pass as "does not match", after which the evaluation runs on to
 * whatever comes next. So any question that went unanswered makes the result unknown, whatever it says.
 */
function spfVerdict({ status }: SPFResult, watch: QuestionWatch): Finding {
  const trouble = watch.policyTrouble();
  if (trouble !== undefined) return unknown(trouble);
  if (status.result === 'temperror') return unknown('no_answer');
  return status.result === 'pass' ? PASS : FAIL;
}

function unknown(reason: UnknownReason): Finding {
  return { verdict: 'unknown', reason };
}
