import { decision } from '@orchestrate/test-kit';
import { expect, test } from 'vitest';
import { composeMessage, type Ingredients } from './compose-message.ts';

const KEY = 'a'.repeat(64);
const NOW = Date.parse('2026-06-01T12:00Z');
const INGREDIENTS: Ingredients = {
  decision: decision({ dispatchId: 'd-1', action: { ...decision().action, recipientKey: KEY } }),
  decisionSeq: 42,
  lead: {
    recipientKey: KEY,
    address: 'jo@example.org',
    verified: true,
    variables: { firstName: 'Jo', lastName: 'Roe', company: 'Roe & Sons', role: 'owner' },
  },
  content: {
    digest: '0'.repeat(64),
    subject: 'A question for {{ company }}',
    text: 'Dear {{ firstName }} {{ lastName }},\n\n{{ sender.name }}\n{{ sender.postalAddress }}\n{{ unsubscribeUrl }}\n',
  },
  mailbox: {
    mailbox: 'sales',
    address: 'ann@Acme.test',
    name: 'Ann of Acme',
    postalAddress: '1 Main St, Springfield',
    unsubscribeUrl: 'https://acme.test/unsubscribe?list=1',
  },
  nowMs: NOW,
};

const compose = (change: Partial<{ [K in 'lead' | 'content' | 'mailbox']: Partial<Ingredients[K]> }>) =>
  composeMessage({
    ...INGREDIENTS,
    lead: { ...INGREDIENTS.lead, ...change.lead },
    content: { ...INGREDIENTS.content, ...change.content },
    mailbox: { ...INGREDIENTS.mailbox, ...change.mailbox },
  });

test('a message says who it is for, who sends it, and how to be left alone', () => {
  const unsubscribe = `https://acme.test/unsubscribe?list=1&tenant=acme&recipient=${KEY}`;
  expect(composeMessage(INGREDIENTS)).toEqual({
    ok: true,
    oneClick: true,
    message: {
      envelope: { from: 'ann@Acme.test', to: ['jo@example.org'] },
      from: { name: 'Ann of Acme', address: 'ann@Acme.test' },
      to: { name: '', address: 'jo@example.org' },
      subject: 'A question for Roe & Sons',
      text: `Dear Jo Roe,\n\nAnn of Acme\n1 Main St, Springfield\n${unsubscribe}\n`,
      messageId: '<d-1@acme.test>',
      date: new Date(NOW),
      headers: {
        'List-Unsubscribe': `<${unsubscribe}>`,
        'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
        'X-Orchestrate-Decision': '42',
      },
    },
  });
});

test('one click is only promised over HTTPS', () => {
  const composed = compose({ mailbox: { unsubscribeUrl: 'http://acme.test/u' } });
  if (!composed.ok) throw new Error(composed.reason);
  expect(composed.oneClick).toBe(false);
  expect(Object.keys(composed.message.headers)).toEqual(['List-Unsubscribe', 'X-Orchestrate-Decision']);
});

test('without a way to unsubscribe there are no headers that say so', () => {
  const content = { text: 'Dear {{ firstName }},' };
  expect(compose({ content, mailbox: { unsubscribeUrl: null } })).toMatchObject({
    ok: true,
    oneClick: false,
    message: { headers: { 'X-Orchestrate-Decision': '42' } },
  });
});

test('a text that offers a way out which its mailbox does not have is no content', () => {
  expect(compose({ mailbox: { unsubscribeUrl: null } })).toEqual({ ok: false, reason: 'content_missing' });
});

test.each([
  ['a variable without a value', 'Hello {{ nickname }},'],
  ['a filter that does not exist', '{{ firstName | shout }}'],
  ['a broken tag', '{% if firstName %}'],
  ['a file of this machine', "{% include '/etc/passwd' %}"],
  ['a file beside it', "{% render './main.ts' %}"],
  ['the insides of a value', '{{ firstName.constructor.name }}'],
  ['a loop without an end', '{% for a in (1..100000000) %}x{% endfor %}'],
])('a template with %s is no content', (_, text) => {
  expect(compose({ content: { text } })).toEqual({ ok: false, reason: 'content_missing' });
  expect(compose({ content: { subject: text } })).toEqual({ ok: false, reason: 'content_missing' });
});

test('a gap that the template fills by itself is none', () => {
  expect(compose({ content: { text: "Hello {{ nickname | default: 'there' }}" } })).toMatchObject({
    ok: true,
    message: { text: 'Hello there' },
  });
});

test('a value cannot add a header', () => {
  expect(
    compose({ lead: { variables: { company: 'X\r\nBcc: all@example.org' } }, content: { text: 'x' } }),
  ).toMatchObject({
    message: { subject: 'A question for X Bcc: all@example.org' },
  });
});

test.each(['', 'jo', 'a@b, c@d', 'jo@example.org\r\nRCPT TO:<x@y>', '<jo@example.org>', 'jo@@example.org'])(
  'the address `%s` is no recipient',
  (address) => {
    expect(compose({ lead: { address } })).toEqual({ ok: false, reason: 'recipient_missing' });
  },
);

test('a lead cannot speak for its sender', () => {
  const variables = { ...INGREDIENTS.lead.variables, sender: 'Mallory', unsubscribeUrl: 'https://evil.test' };
  const composed = compose({ lead: { variables } });
  expect(composed).toEqual(composeMessage(INGREDIENTS));
});
