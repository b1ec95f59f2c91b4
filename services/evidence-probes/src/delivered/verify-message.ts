import { createHash } from 'node:crypto';
import { type AuthenticateResult, authenticate, type DKIMVerifyResult, type DNSResolver } from 'mailauth';
import { type AuthorDomain, getAuthorDomain } from 'mailauth/lib/dmarc/author-domain.js';
import { formatDomain } from 'mailauth/lib/tools.js';
import type { Answer } from '../probe/answer.ts';
import { eitherOf, type Finding, type SignatureFinding, signatureFindings, spfFinding } from './findings.ts';
import { offersOneClick } from './one-click.ts';
import { READING_REFUSALS, readMessage } from './read-message.ts';
import { type QuestionWatch, type Resolve, watchQuestions } from './watch-questions.ts';

export const DELIVERED_FACTS = ['alignment', 'oneClickSigned'] as const;

/** What the receiving server saw of the sender, which SPF is about (RFC 7208 4.1). */
export interface SmtpOrigin {
  readonly clientIp: string;
  readonly helo: string;
  /** Empty for the null reverse-path: the HELO name is checked then. */
  readonly mailFrom: string;
}

export interface DeliveryQuestion {
  /** The sending domain of the tenant, which has to be the one in From. */
  readonly domain: string;
  readonly resolve: Resolve;
  /** When it fires, every DNS question still open is a timeout. */
  readonly signal: AbortSignal;
  /** Absent when nobody saw the delivery: SPF is unknown then. */
  readonly origin?: SmtpOrigin;
}

export interface MessageQuestion extends DeliveryQuestion {
  readonly raw: Uint8Array;
}

/** Why a message proves nothing of this domain, neither good nor bad. */
export const MESSAGE_REFUSALS = [
  ...READING_REFUSALS,
  'no_from',
  'several_from',
  'invalid_from',
  'other_domain',
] as const;
export type MessageRefusal = (typeof MESSAGE_REFUSALS)[number];

export type MessageProof =
  | { readonly kind: 'proof'; readonly answers: readonly Answer[] }
  | { readonly kind: 'refused'; readonly reason: MessageRefusal };

/**
 * The delivered proof. DNS only says what was configured; that mail is signed, aligned (RFC 9989 3.2.10,
 * relaxed) and covers its one-click fields (RFC 8058 4) is seen on a message that arrived.
 *
 * Alignment is an OR of all signatures and SPF: one that passes and aligns decides, and as long as one that
 * could have aligned is undecided, nothing has failed.
 */
export async function verifyMessage(question: MessageQuestion): Promise<MessageProof> {
  const reading = readMessage(question.raw);
  if (reading.kind === 'refused') return reading;
  const watch = watchQuestions(question.resolve, question.signal);
  const result = await check(reading.bytes, question, watch);
  if (result === undefined) return { kind: 'refused', reason: 'unreadable' };
  const refusal = authorRefusal(result.dkim, question.domain);
  if (refusal !== undefined) return { kind: 'refused', reason: refusal };

  const digest = digestOf(question.raw, watch.evidence);
  const signatures = signatureFindings(result.dkim, question.domain, watch);
  const spf = seenSpf(result, question, watch);
  const alignment = eitherOf([...signatures.map(({ aligned }) => aligned), spf]);
  const oneClick = offersOneClick(reading.fields) ? oneClickSigned(signatures) : NOT_OFFERED;
  return {
    kind: 'proof',
    answers: [
      asAnswer('alignment', alignment, { pass: 'aligned', fail: 'misaligned' }, digest),
      asAnswer('oneClickSigned', oneClick, { pass: true, fail: false }, digest),
    ],
  };
}

const NOT_OFFERED: Finding = { verdict: 'fail' };

async function check(
  bytes: Buffer,
  { origin }: DeliveryQuestion,
  watch: QuestionWatch,
): Promise<AuthenticateResult | undefined> {
  try {
    return await authenticate(bytes, {
      ...(origin && { ip: origin.clientIp, helo: origin.helo, sender: origin.mailFrom }),
      // its declaration forgets that MX records are objects
      resolver: watch.resolve as DNSResolver,
      // RFC 7208 7.3: of a receiver that does not tell its name
      mta: 'unknown',
      strict: true,
      disableArc: true,
      disableBimi: true,
      disableDmarc: true,
    });
  } catch {
    return undefined;
  }
}

type AuthorProblem = Extract<AuthorDomain, { reason: string }>['reason'];
const AUTHOR_REFUSALS: Readonly<Record<AuthorProblem, MessageRefusal>> = {
  'no-author-domain': 'no_from',
  'multiple-from-fields': 'several_from',
  'multiple-author-domains': 'several_from',
  'invalid-author-domain': 'invalid_from',
};

/** RFC 9989 5.3.1: a message has one author domain or none that a check could be about. */
function authorRefusal(dkim: DKIMVerifyResult, domain: string): MessageRefusal | undefined {
  const author = getAuthorDomain(dkim.headerFrom, dkim.fromFields);
  if ('reason' in author) return AUTHOR_REFUSALS[author.reason];
  return author.authorDomain === formatDomain(domain) ? undefined : 'other_domain';
}

function seenSpf({ spf }: AuthenticateResult, question: DeliveryQuestion, watch: QuestionWatch): Finding {
  if (question.origin === undefined || spf === false)
    return { verdict: 'unknown', reason: 'no_delivered_proof' };
  return spfFinding(spf, question.domain, watch);
}

function oneClickSigned(signatures: readonly SignatureFinding[]): Finding {
  return eitherOf(signatures.filter(({ coversOneClick }) => coversOneClick).map(({ aligned }) => aligned));
}

function asAnswer(
  fact: (typeof DELIVERED_FACTS)[number],
  finding: Finding,
  values: Readonly<Record<'pass' | 'fail', string | boolean>>,
  digest: string,
): Answer {
  if (finding.verdict === 'unknown') return { fact, unknown: finding.reason };
  return { fact, value: values[finding.verdict], digest };
}

/** SHA-256 of the message as it came and of what DNS said about it. */
function digestOf(raw: Uint8Array, evidence: readonly string[]): string {
  const lines = [...new Set(evidence)].sort();
  return createHash('sha256').update(raw).update(lines.join('\n')).digest('hex');
}
