import { factValueProblem } from '@orchestrate/canon';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { readScopes } from './granted-scopes.ts';
import { summary } from './mailbox.test-support.ts';
import { type MailboxProvider, scopeAnswers } from './scope-answers.ts';

const GOOGLE = 'https://www.googleapis.com/auth';
const blind = { canSend: true, canReadReplies: false, canSeeBounces: false };
const readOnly = { canSend: false, canReadReplies: true, canSeeBounces: true };
const all = { canSend: true, canReadReplies: true, canSeeBounces: true };
const none = { canSend: false, canReadReplies: false, canSeeBounces: false };

test.each<[MailboxProvider, string, object]>([
  ['gmail', `${GOOGLE}/gmail.send`, blind],
  ['gmail', `${GOOGLE}/gmail.readonly`, readOnly],
  ['gmail', `${GOOGLE}/gmail.modify`, all],
  ['gmail', `${GOOGLE}/gmail.send ${GOOGLE}/gmail.readonly`, all],
  ['gmail', 'https://mail.google.com/', all],
  ['gmail', `${GOOGLE}/gmail.metadata`, none],
  ['gmail', `openid ${GOOGLE}/userinfo.email`, none],
  ['gmail', '', none],
  ['graph', 'Mail.Send', blind],
  ['graph', 'https://graph.microsoft.com/Mail.Read', readOnly],
  ['graph', 'Mail.ReadWrite User.Read', readOnly],
  ['graph', 'mail.send MAIL.READ', all],
  ['graph', 'https://outlook.office.com/SMTP.Send', blind],
  ['graph', 'https://outlook.office365.com/IMAP.AccessAsUser.All', readOnly],
  ['graph', 'Mail.ReadBasic', none],
  ['graph', `${GOOGLE}/gmail.send`, none],
  ['smtp_imap', 'https://outlook.office.com/SMTP.Send offline_access', blind],
  ['smtp_imap', 'https://mail.google.com/', all],
])('%s with `%s`', (provider, scope, expected) => {
  const answers = scopeAnswers({ provider, granted: readScopes(scope), wanted: [] });
  expect(summary(answers)).toEqual({ ...expected, scopeDrift: false });
});

test('the scopes of a mail server that nobody knows are no refusal', () => {
  const answers = scopeAnswers({ provider: 'smtp_imap', granted: ['mail-w', 'mail-r'], wanted: ['mail-w'] });
  expect(summary(answers)).toEqual({
    canSend: '?unrecognised_value',
    canReadReplies: '?unrecognised_value',
    canSeeBounces: '?unrecognised_value',
    scopeDrift: false,
  });
});

test.each([
  [null, 'no_answer'],
  [['https://graph.microsoft.com/.default'], 'unrecognised_value'],
])('a grant whose scopes nobody names, %j, is unknown and never empty', (granted, reason) => {
  const answers = scopeAnswers({ provider: 'graph', granted, wanted: ['Mail.Send'] });
  expect(summary(answers)).toEqual({
    canSend: `?${reason}`,
    canReadReplies: `?${reason}`,
    canSeeBounces: `?${reason}`,
    scopeDrift: `?${reason}`,
  });
});

test.each<[string, MailboxProvider, string, string, boolean]>([
  ['a scope that was unticked', 'gmail', 'gmail.send', 'gmail.send gmail.readonly', true],
  ['a wider one', 'gmail', 'https://mail.google.com/', 'gmail.send gmail.readonly', false],
  ['a wider one of Graph', 'graph', 'Mail.ReadWrite', 'Mail.Read', false],
  ['a narrower one', 'graph', 'Mail.Read', 'Mail.ReadWrite', true],
  ['another way to write it', 'gmail', `${GOOGLE}/gmail.send`, 'gmail.send', false],
  ['what is about signing in', 'graph', 'Mail.Send', 'openid profile email offline_access Mail.Send', false],
  ['more than was asked for', 'graph', 'Mail.Send User.Read', 'Mail.Send', false],
])('drift: %s', (_, provider, granted, wanted, scopeDrift) => {
  const answers = scopeAnswers({ provider, granted: readScopes(granted), wanted: wanted.split(' ') });
  expect(summary(answers)).toMatchObject({ scopeDrift });
});

test('whose mailbox it is comes from whoever told, and else from nobody', () => {
  const question = { provider: 'graph', granted: ['Mail.Send'], wanted: [] } as const;
  expect(summary(scopeAnswers(question))).not.toHaveProperty('identityClass');
  expect(summary(scopeAnswers({ ...question, identityClass: 'shared' }))).toMatchObject({
    identityClass: 'shared',
  });
});

test('any grant leads to answers that the catalogue takes, and more scopes never allow less', () => {
  const scope = fc.oneof(
    fc.constantFrom(
      'gmail.send',
      'gmail.readonly',
      'Mail.Send',
      'Mail.Read',
      'SMTP.Send',
      '__proto__',
      'constructor',
    ),
    fc.string(),
  );
  const provider = fc.constantFrom<MailboxProvider>('gmail', 'graph', 'smtp_imap');
  void fc.assert(
    fc.property(provider, fc.array(scope), fc.array(scope), fc.array(scope), (name, some, others, wanted) => {
      const few = scopeAnswers({ provider: name, granted: some, wanted });
      const many = summary(scopeAnswers({ provider: name, granted: [...some, ...others], wanted }));
      for (const answer of few) {
        if ('unknown' in answer) continue;
        expect(factValueProblem('mailbox', answer.fact, answer.value)).toBeNull();
        const isUnnamed = Object.values(many).includes('?unrecognised_value');
        if (answer.fact.startsWith('can') && answer.value === true && !isUnnamed)
          expect(many[answer.fact]).toBe(true);
      }
    }),
  );
});

test('a list of scopes without end is not read', () => {
  expect(readScopes(Array.from({ length: 10_000 }, (_, at) => `scope${at}`).join(' '))).toBeNull();
});
