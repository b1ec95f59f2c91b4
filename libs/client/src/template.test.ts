import { expect, test } from 'vitest';
import { digestOfTemplate, lintTemplates, parseTemplate, type Template } from './template.ts';

const GOOD = `Subject: A question about {{ company }}

Hello {{ firstName | default: "there" }}, shall I send it?
{{ sender.name }} - {{ sender.postalAddress }} - {{ unsubscribeUrl }}
`;

function lint(...sources: string[]) {
  return lintTemplates(
    sources.map((source, index) => ({ ...(parseTemplate(source) as Template), name: `t${index}` })),
  );
}

test('a message with a way out, an address and known variables passes', () => {
  expect(lint(GOOD)).toEqual({
    lint: 'pass',
    unresolvedVars: 0,
    address: true,
    optOut: true,
    tone: 'neutral_lint',
    problems: [],
  });
});

test('line ends do not change the digest of a message', () => {
  const digest = (source: string) => digestOfTemplate(parseTemplate(source) as Template);
  expect(digest(GOOD.replaceAll('\n', '\r\n'))).toBe(digest(GOOD));
  expect(digest(`\uFEFF${GOOD}`)).toBe(digest(GOOD));
});

test('a variable that nothing fills in fails, once however often it is used', () => {
  const found = lint(GOOD.replace('{{ company }}', '{{ firstname }} {{ firstname }} {{ lead.email }}'));
  expect(found).toMatchObject({ lint: 'fail', unresolvedVars: 2 });
  expect(found.problems).toEqual([
    't0: nothing fills in `firstname`; did you mean `firstName`?',
    't0: nothing fills in `lead.email`',
  ]);
});

test.each(['{{ firstName', '{% if firstName %}', '{{ firstName | shout }}', "{% render 'other' %}"])(
  '`%s` is no Liquid that can be sent',
  (broken) => {
    const found = lint(`${GOOD}${broken}\n`);
    expect(found.lint).toBe('fail');
    expect(found.problems[0]).toMatch(/^t0: the text is no Liquid: /);
  },
);

test('a campaign warns when one of its steps says no postal address', () => {
  expect(lint(GOOD, GOOD.replace('{{ sender.postalAddress }}', ''))).toMatchObject({
    lint: 'warn',
    address: false,
    optOut: true,
  });
});

test('a link that only the subject mentions is no way out', () => {
  const hidden = GOOD.replace('{{ unsubscribeUrl }}', '').replace('{{ company }}', '{{ unsubscribeUrl }}');
  expect(lint(hidden).optOut).toBe(false);
});

test.each([
  ['Act  now, please', 'pressure_lint'],
  ['this is URGENT!', 'pressure_lint'],
  ['Don’t miss it', 'pressure_lint'],
  ['the insurgents are not urgently needed', 'neutral_lint'],
])('`%s` reads as %s', (text, tone) => {
  expect(lint(`${GOOD}${text}\n`).tone).toBe(tone);
});

test('a subject in capitals presses, one of initials or without case does not', () => {
  const withSubject = (subject: string) => lint(GOOD.replace(/^Subject: .*/, `Subject: ${subject}`)).tone;
  expect(withSubject('READ THIS {{ firstName }}')).toBe('pressure_lint');
  expect(withSubject('EU?')).toBe('neutral_lint');
  expect(withSubject('関于贵公司的问题')).toBe('neutral_lint');
});

test('what is no template says on which line', () => {
  expect(parseTemplate('Hello\n')).toMatchObject({ line: 1 });
  expect(parseTemplate('Subject: Hello\nand on\n')).toMatchObject({ line: 2 });
  expect(parseTemplate('Subject: Hello\n\n\n')).toMatchObject({ line: 3 });
});
