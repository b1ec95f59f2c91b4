import type { TenantConfig } from '@orchestrate/contracts';
import type { Logger } from '@orchestrate/service-kit';
import type { Credentials } from '../credentials.ts';
import type { Answer } from '../probe/answer.ts';
import { defineProbe, type Look, type Looked, type Probe } from '../probe/define-probe.ts';
import type { LoginCredential } from './credential.ts';
import { imapCapability } from './imap-capability.ts';
import { type GrantLook, lookAtGrant } from './look-at-grant.ts';
import { type MailLook, tokenOfLogins } from './mail-login.ts';
import { type MailboxAccess, mailboxAccess } from './mailbox-access.ts';
import { smtpCapability } from './smtp-capability.ts';

interface Mailbox {
  readonly tenantId: string;
  readonly credential: string;
  readonly provider: TenantConfig['mailboxes'][number]['provider'];
}

interface Means {
  readonly credentials: Credentials;
  readonly log: Logger;
}

const LOOK_MS_MAX = 25_000;
const MAILBOX_FACTS = ['token', 'canSend', 'canReadReplies', 'canSeeBounces'] as const;
const WELL: ReadonlySet<unknown> = new Set(['active', 'refreshable', true]);

/** Every mailbox that names the credential by which it may be looked at. */
export function mailboxProbe(means: Means): Probe<Mailbox> {
  return defineProbe<Mailbox>({
    name: 'mailbox-probe',
    layer: 'mailbox',
    facts: MAILBOX_FACTS,
    targets: ({ tenantId, mailboxes }) =>
      mailboxes.flatMap(({ id, provider, credential, enabled }) =>
        enabled && credential !== null ? [{ source: id, params: { tenantId, credential, provider } }] : [],
      ),
    // Two mailboxes of one grant are looked at once.
    asset: ({ tenantId, credential, provider }) => `${tenantId}/${credential}/${provider}`,
    fate: ({ provider }) => (provider === 'smtp_imap' ? undefined : provider),
    look: (look) => lookAtMailbox(means, look),
    /** Two looks may be lost before what is known of the token is too old. */
    cadence: ({ maxAgeSec }) => ({
      intervalMs: (maxAgeSec.token * 1000) / 4,
      failingMs: (maxAgeSec.token * 1000) / 4,
      unknownMs: 60_000,
    }),
    verdict: (answer) =>
      'value' in answer && MAILBOX_FACTS.some((fact) => fact === answer.fact) && !WELL.has(answer.value)
        ? 'fail'
        : 'pass',
    timeoutMs: LOOK_MS_MAX + 10_000,
    atATime: 128,
    // A second refresh with a token that the first one used up could end the grant.
    tries: 1,
  });
}

async function lookAtMailbox(means: Means, { params, nowMs, signal }: Look<Mailbox>): Promise<Looked> {
  const path = pathOf(params);
  const access = await means.credentials.read(path, mailboxAccess);
  if (!access) return { answers: [] };
  // What has no answer by then is unknown for itself, beside what has one.
  const until = AbortSignal.any([signal, AbortSignal.timeout(LOOK_MS_MAX)]);
  const grant = access.oauth && (await aloneWithGrant(means, params, nowMs, until));
  // Somebody else is at it, and will tell.
  if (grant === null) return { answers: [] };
  const servers = await lookAtServers(access, grant?.accessToken ?? null, until);
  const token = grant ? [] : [tokenOfLogins(servers.map(({ login }) => login))];
  const who: Answer = { fact: 'identityClass', value: access.identityClass };
  const seen = servers.flatMap(({ answers }) => answers);
  const answers = together([...(grant?.answers ?? []), ...token, who], seen);
  return { answers, waitMs: waitMsOf(answers) };
}

const pathOf = ({ tenantId, credential }: Mailbox): readonly string[] => ['mailboxes', tenantId, credential];

/**
 * A refresh token may be good for one exchange, and a second one at the same time ends the grant with some servers. What
 * stands in the file is read when nobody else is at it, and only the token in it is replaced.
 */
function aloneWithGrant(
  { credentials, log }: Means,
  params: Mailbox,
  nowMs: number,
  signal: AbortSignal,
): Promise<GrantLook | null> {
  const path = pathOf(params);
  return credentials.alone(path, async (hold) => {
    const access = await credentials.read(path, mailboxAccess);
    if (!access?.oauth) return { answers: [], accessToken: null };
    const { identityClass, oauth: grant } = access;
    const used = grant.refreshToken;
    const onRotated = async (refreshToken: string) => {
      try {
        const now = await credentials.read(path, mailboxAccess);
        if (now?.oauth?.refreshToken !== used) return;
        await credentials.replace(path, { ...now, oauth: { ...now.oauth, refreshToken } });
      } catch (error) {
        log.error(
          { tenantId: params.tenantId, fault: (error as Error).message },
          'a refresh token was handed out that could not be kept: the mailbox has to be connected again',
        );
        throw error;
      }
    };
    const keep = { onRotated, onExchange: hold };
    return lookAtGrant({ provider: params.provider, grant, identityClass, ...keep, nowMs, signal });
  });
}

function waitMsOf(answers: readonly Answer[]): number {
  const told = answers.find(({ fact }) => fact === 'retryAfterSec');
  return told && 'value' in told ? Number(told.value) * 1000 : 0;
}

async function lookAtServers(
  { user, password, smtp, imap }: MailboxAccess,
  accessToken: (() => string) | null,
  signal: AbortSignal,
): Promise<readonly MailLook[]> {
  const login = loginOf(user, password, accessToken);
  if (!login) return [];
  const credential = async () => login;
  return Promise.all([
    ...(smtp ? [smtpCapability({ server: smtp, credential, signal })] : []),
    ...(imap ? [imapCapability({ server: imap, credential, signal })] : []),
  ]);
}

function loginOf(
  user: string | undefined,
  password: string | undefined,
  accessToken: (() => string) | null,
): LoginCredential | null {
  if (user === undefined) return null;
  if (password !== undefined) return { user, password };
  return accessToken ? { user, accessToken: accessToken() } : null;
}

/**
 * One answer for each fact. What a server shows counts before what a grant says of it, an answer before an unknown, a throttle
 * wherever it stands, and of two waits the longer.
 */
export function together(granted: readonly Answer[], shown: readonly Answer[]): Answer[] {
  const byFact = new Map<string, Answer>();
  for (const answer of [...granted, ...shown]) {
    const before = byFact.get(answer.fact);
    if (!before || counts(answer, before)) byFact.set(answer.fact, answer);
  }
  return [...byFact.values()];
}

function counts(answer: Answer, before: Answer): boolean {
  if ('unknown' in answer) return false;
  if ('unknown' in before) return true;
  if (answer.fact === 'retryAfterSec') return Number(answer.value) > Number(before.value);
  return answer.fact !== 'throttled' || before.value !== true;
}
