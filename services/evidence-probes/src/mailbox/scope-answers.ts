import type { FactValue, UnknownReason } from '@orchestrate/canon';
import { type Answer, unknownAnswers } from '../probe/answer.ts';
import type { GrantedScopes } from './granted-scopes.ts';

export type MailboxProvider = 'gmail' | 'graph' | 'smtp_imap';

export interface ScopeQuestion {
  readonly provider: MailboxProvider;
  readonly granted: GrantedScopes;
  /** What was asked for when the mailbox was connected. */
  readonly wanted: readonly string[];
  /** Whose mailbox it is, where somebody said so: a grant does not. */
  readonly identityClass?: string;
}

export const SCOPE_FACTS = ['canSend', 'canReadReplies', 'canSeeBounces', 'scopeDrift'] as const;

interface Vocabulary {
  readonly send: ReadonlySet<string>;
  readonly read: ReadonlySet<string>;
  /** Whether the provider's names are known so well that a missing one is a no. */
  readonly closed: boolean;
}

/** Names as `nameOf` writes them. Scopes that show headers without bodies are no way to read a reply. */
const VOCABULARIES: Readonly<Record<MailboxProvider, Vocabulary>> = {
  gmail: {
    send: new Set(['gmail.send', 'gmail.compose', 'gmail.modify', 'mail.google.com']),
    read: new Set(['gmail.readonly', 'gmail.modify', 'mail.google.com']),
    closed: true,
  },
  // Reading and writing a mailbox by Graph does not include sending from it.
  graph: {
    send: new Set(['mail.send', 'smtp.send']),
    read: new Set(['mail.read', 'mail.readwrite', 'imap.accessasuser.all']),
    closed: true,
  },
  smtp_imap: {
    send: new Set(['smtp.send', 'mail.google.com']),
    read: new Set(['imap.accessasuser.all', 'mail.google.com']),
    closed: false,
  },
};

/** What a wider scope holds besides itself. */
const INCLUDES: Readonly<Record<string, readonly string[]>> = {
  'mail.google.com': ['gmail.send', 'gmail.compose', 'gmail.modify', 'gmail.readonly', 'gmail.metadata'],
  'gmail.modify': ['gmail.send', 'gmail.compose', 'gmail.readonly', 'gmail.metadata'],
  'gmail.readonly': ['gmail.metadata'],
  'gmail.compose': ['gmail.send'],
  'mail.readwrite': ['mail.read', 'mail.readbasic'],
  'mail.read': ['mail.readbasic'],
};

/** These are about signing in. Servers leave them out of the grant or give them other names. */
const SIGN_IN: ReadonlySet<string> = new Set([
  'openid',
  'profile',
  'email',
  'offline_access',
  'userinfo.profile',
  'userinfo.email',
]);

/** Microsoft's word for whatever an administrator consented to: it names nothing. */
const UNNAMED = '.default';

/**
 * What a grant allows. A grant that can send and not read is blind: its replies and bounces are not zero, they cannot be
 * seen, and that is what `false` says.
 */
export function scopeAnswers({ provider, granted, wanted, identityClass }: ScopeQuestion): Answer[] {
  const told: Answer[] = identityClass === undefined ? [] : [{ fact: 'identityClass', value: identityClass }];
  if (granted === null) return [...unknownAnswers(SCOPE_FACTS, 'no_answer'), ...told];
  const names = new Set(granted.map(nameOf));
  if (names.has(UNNAMED)) return [...unknownAnswers(SCOPE_FACTS, 'unrecognised_value'), ...told];
  const vocabulary = VOCABULARIES[provider];
  const canRead = allows(names, vocabulary.read, vocabulary);
  return [
    answerOf('canSend', allows(names, vocabulary.send, vocabulary)),
    answerOf('canReadReplies', canRead),
    answerOf('canSeeBounces', canRead),
    { fact: 'scopeDrift', value: lacks(names, wanted) },
    ...told,
  ];
}

/** Where a provider has names that are not known here, a missing one is not a no. */
function allows(
  names: ReadonlySet<string>,
  any: ReadonlySet<string>,
  { send, read, closed }: Vocabulary,
): boolean | UnknownReason {
  if (!names.isDisjointFrom(any)) return true;
  const isKnown = closed || names.difference(SIGN_IN).isSubsetOf(send.union(read));
  return isKnown ? false : 'unrecognised_value';
}

function answerOf(fact: string, found: boolean | UnknownReason): Answer {
  return typeof found === 'boolean' ? { fact, value: found satisfies FactValue } : { fact, unknown: found };
}

function lacks(names: ReadonlySet<string>, wanted: readonly string[]): boolean {
  const held = names.union(new Set([...names].flatMap((name) => includedIn(name))));
  return wanted.map(nameOf).some((name) => !SIGN_IN.has(name) && !held.has(name));
}

function includedIn(name: string): readonly string[] {
  return Object.hasOwn(INCLUDES, name) ? INCLUDES[name]! : [];
}

const PREFIX =
  /^https:\/\/(?:www\.googleapis\.com\/auth|graph\.microsoft\.com|outlook\.office(?:365)?\.com)\/|^https:\/\/(?=mail\.google\.com\/?$)/;

/** Providers write one scope in several ways: with or without the resource before it, in any case, with a slash at the end. */
function nameOf(scope: string): string {
  return scope.toLowerCase().replace(PREFIX, '').replace(/\/$/, '');
}
