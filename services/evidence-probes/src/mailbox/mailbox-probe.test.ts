import { expect, test } from 'vitest';
import type { Answer } from '../probe/answer.ts';
import { mailboxAccess } from './mailbox-access.ts';
import { together } from './mailbox-probe.ts';

const value = (fact: string, told: string | number | boolean): Answer => ({ fact, value: told });
const silent = (fact: string): Answer => ({ fact, unknown: 'timeout' });

test.each<[why: string, granted: Answer[], shown: Answer[], answers: Answer[]]>([
  [
    'what a server shows counts before what a grant says',
    [value('canSend', false)],
    [value('canSend', true)],
    [value('canSend', true)],
  ],
  [
    'a server that refuses counts before a grant that allows',
    [value('canSend', true)],
    [value('canSend', false)],
    [value('canSend', false)],
  ],
  [
    'a server that is silent takes nothing back',
    [value('canSend', false)],
    [silent('canSend')],
    [value('canSend', false)],
  ],
  [
    'a grant that says nothing of it is filled by a server',
    [silent('canSend')],
    [value('canSend', true)],
    [value('canSend', true)],
  ],
  [
    'one server in peace does not end the throttle of another',
    [value('throttled', true), value('retryAfterSec', 30)],
    [value('throttled', false)],
    [value('throttled', true), value('retryAfterSec', 30)],
  ],
  [
    'a throttle counts wherever it stands',
    [value('throttled', false)],
    [value('throttled', true)],
    [value('throttled', true)],
  ],
  [
    'of two servers that ask for peace the one that asks for longer has it',
    [value('retryAfterSec', 300)],
    [value('retryAfterSec', 10)],
    [value('retryAfterSec', 300)],
  ],
  [
    'who the token was shown to knows better than who issued it',
    [value('token', 'active'), value('token', 'inactive_unspecified')],
    [],
    [value('token', 'inactive_unspecified')],
  ],
])('%s', (_, granted, shown, answers) => {
  expect(together(granted, shown)).toEqual(answers);
});

const server = { host: 'mail.example', port: 587, tls: 'required' };
const oauth = {
  tokenUrl: 'https://issuer.example/token',
  clientId: 'c',
  clientSecret: 's',
  refreshToken: 'r',
  scopes: [],
};

test.each([
  [{ identityClass: 'user', user: 'a', password: 'p', smtp: server }, []],
  [{ identityClass: 'user', oauth }, []],
  [{ identityClass: 'user' }, ['password']],
  [{ identityClass: 'user', password: 'p', smtp: server }, ['user']],
  [{ identityClass: 'king', oauth }, ['identityClass']],
  [{ identityClass: 'user', oauth: { ...oauth, tokenUrl: 'ftp://x' } }, ['oauth.tokenUrl']],
  [{ identityClass: 'user', user: 'a', password: 'p', smtp: { ...server, tls: 'none' } }, ['smtp.tls']],
])('a file of access says where it is wrong: %#', (file, places) => {
  const { error } = mailboxAccess.safeParse(file);
  expect((error?.issues ?? []).map(({ path }) => path.join('.'))).toEqual(places);
});
