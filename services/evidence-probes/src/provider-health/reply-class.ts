import { z } from 'zod';
import { isExpectedReply, type ProviderTarget } from './provider-request.ts';

export const ERROR_CLASSES = [
  'none',
  'rate_limited',
  'overloaded',
  'spend_limit',
  'auth',
  'timeout',
  'server',
] as const;
export type ErrorClass = (typeof ERROR_CLASSES)[number];

/** The beginning of a reply: as much as was read of its body. */
export interface ReplyStart {
  readonly status: number;
  readonly text: string;
  /** Whether the body ended within what was read. */
  readonly isWhole: boolean;
}

/**
 * What a reply says about the provider. Undefined when it is none that we understand: a login page of the network
 * between us and the provider answers 200 as well, and a firewall refuses with a 403 that is not about the key.
 */
export function classOf(target: ProviderTarget, reply: ReplyStart): ErrorClass | undefined {
  const { status } = reply;
  if (status >= 200 && status < 300) return isExpected(target, reply) ? 'none' : undefined;
  if (status >= 500) return classOfServerError(status);
  const error = errorIn(reply);
  if (MONEY_STATUSES.has(status) && error && isAboutMoney(error)) return 'spend_limit';
  if (status === 403) return error && !isAboutPlace(error) ? 'auth' : undefined;
  return CLIENT_ERRORS[status];
}

const CLIENT_ERRORS: Readonly<Record<number, ErrorClass>> = {
  401: 'auth',
  402: 'spend_limit',
  429: 'rate_limited',
};
/** 529 is no registered status; Anthropic says by it that it is overloaded, as others do by 503. */
const OVERLOADED: ReadonlySet<number> = new Set([503, 529]);
/** RFC 6585 6: told by the network that we are in, which wants us to sign in first. */
const NETWORK_AUTHENTICATION_REQUIRED = 511;
/** Being out of money is told with any of these. */
const MONEY_STATUSES: ReadonlySet<number> = new Set([400, 403, 429]);

/** Types and codes of errors that waiting does not heal but paying does. */
const MONEY_WORDS: ReadonlySet<unknown> = new Set([
  // OpenAI, as the type or as the code of the error
  'insufficient_quota',
  'billing_not_active',
  'billing_hard_limit_reached',
  'credit_balance_exhausted',
  'organization_spend_limit_exceeded',
  'organization_usage_limit_exceeded',
  'project_spend_limit_exceeded',
  // Anthropic
  'billing_error',
]);
/** Anthropic also tells it as a plain `invalid_request_error`; only the sentence says that it is about money. */
const MONEY_SENTENCES = [
  'Your credit balance is too low',
  'You have reached your specified API usage limits',
];
/** OpenAI, about where a request comes from: no other key would be let in. */
const PLACE_WORDS: ReadonlySet<unknown> = new Set(['unsupported_country_region_territory']);

function classOfServerError(status: number): ErrorClass | undefined {
  if (status === NETWORK_AUTHENTICATION_REQUIRED || status > 599) return undefined;
  return OVERLOADED.has(status) ? 'overloaded' : 'server';
}

/** A list that is longer than what is read of it cannot be parsed; that it begins as JSON has to do. */
function isExpected(target: ProviderTarget, reply: ReplyStart): boolean {
  return reply.isWhole ? isExpectedReply(target, parsed(reply.text)) : /^\s*[[{]/.test(reply.text);
}

/** Both styles wrap an error alike; some servers put a sentence where the object should be. */
const ERROR_REPLY = z.object({
  error: z.union([
    z.object({
      type: z.unknown().optional(),
      code: z.unknown().optional(),
      message: z.unknown().optional(),
    }),
    z.string().transform((message) => ({ type: undefined, code: undefined, message })),
  ]),
});
type ReplyError = z.infer<typeof ERROR_REPLY>['error'];

function errorIn({ text, isWhole }: ReplyStart): ReplyError | undefined {
  return isWhole ? ERROR_REPLY.safeParse(parsed(text)).data?.error : undefined;
}

function isAboutMoney({ type, code, message }: ReplyError): boolean {
  if (MONEY_WORDS.has(type) || MONEY_WORDS.has(code)) return true;
  return typeof message === 'string' && MONEY_SENTENCES.some((sentence) => message.startsWith(sentence));
}

function isAboutPlace({ type, code }: ReplyError): boolean {
  return PLACE_WORDS.has(type) || PLACE_WORDS.has(code);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
