import { mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { evidenceObserved } from '@orchestrate/contracts';
import { expect, test } from 'vitest';
import { loadEvidenceFile } from './evidence-file.ts';

const NOW_MS = Date.parse('2026-06-01T12:00:00Z');

async function load(text: string) {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'evidence-'));
  const file = join(directory.path, 'evidence.yaml');
  writeFileSync(file, text);
  return await loadEvidenceFile(file, NOW_MS);
}

async function problemsOf(text: string): Promise<string[]> {
  const message = await load(text).then(
    () => '',
    (error: Error) => error.message,
  );
  return message.split('\n').map((line) => line.slice(line.indexOf('evidence.yaml')));
}

test('answers and honest unknowns become messages that their contract allows', async () => {
  const { messages } = await load(`tenant: acme
observedAt: -2h
evidence:
  - { layer: billing, source: main, facts: { subscriptionStatus: active, entitlementRemaining: 10 } }
  - { layer: mailbox, source: ann, facts: { token: { unknown: unreachable }, canSend: true } }
`);
  for (const message of messages) expect(evidenceObserved.strict.safeParse(message).error).toBeUndefined();
  const observedAtMs = NOW_MS - 7_200_000;
  expect(messages.map(({ layer, source, facts }) => ({ layer, source, facts }))).toEqual([
    {
      layer: 'billing',
      source: 'main',
      facts: [
        { fact: 'subscriptionStatus', value: 'active', observedAtMs },
        { fact: 'entitlementRemaining', value: 10, observedAtMs },
      ],
    },
    {
      layer: 'mailbox',
      source: 'ann',
      facts: [
        { fact: 'token', unknown: 'unreachable', observedAtMs },
        { fact: 'canSend', value: true, observedAtMs },
      ],
    },
  ]);
});

test('the same facts of several sources may be written once', async () => {
  const { messages } = await load(`tenant: acme
evidence:
  - { layer: pacing, source: ann, facts: &counts { delivered30d: 5, complaints30d: 0 } }
  - { layer: pacing, source: ben, facts: *counts }
`);
  expect(messages[1]!.facts).toEqual(messages[0]!.facts);
});

test('a fact, a value and a layer that do not exist are named with their lines, all together', async () => {
  expect(
    await problemsOf(`tenant: acme
evidence:
  - layer: billing
    source: main
    facts:
      subscriptionState: active
      paymentMethod: vald
  - layer: mailbox
    source: ann
    facts:
      canSend: yes
`),
  ).toEqual([
    expect.stringMatching(
      /^evidence\.yaml:6: evidence\[0\]\.facts\.subscriptionState: `subscriptionState` is no fact of billing/,
    ),
    expect.stringMatching(
      /^evidence\.yaml:7: evidence\[0\]\.facts\.paymentMethod: .* not `vald`; did you mean `valid`\?$/,
    ),
    expect.stringMatching(/^evidence\.yaml:11: .*takes true or false, not `yes`/),
  ]);
  expect(
    await problemsOf('tenant: acme\nevidence:\n  - { layer: bilings, source: main, facts: { a: 1 } }\n'),
  ).toEqual([expect.stringMatching(/^evidence\.yaml:3: evidence\[0\]\.layer: .*did you mean `billing`\?$/)]);
});

test('an unknown without one of the reasons that exist is refused', async () => {
  expect(
    await problemsOf(
      'tenant: acme\nevidence:\n  - layer: billing\n    source: main\n    facts:\n      subscriptionStatus: { unknown: dunno }\n',
    ),
  ).toEqual([expect.stringMatching(/^evidence\.yaml:6: .*a value, or \{ unknown: one of /)]);
});

test.each([
  ['2026-06-01T13:00:00Z', 'lies in the future'],
  ['yesterday', 'is no time'],
  ['+2h', 'is no time'],
  ['2026-06-01 11:00', 'is no time'],
])('nobody can have observed anything at `%s`', async (time, problem) => {
  const text = `tenant: acme\nobservedAt: "${time}"\nevidence:\n  - { layer: billing, source: main, facts: { pastDueDays: 1 } }\n`;
  expect(await problemsOf(text)).toEqual([
    expect.stringContaining(`evidence.yaml:2: observedAt: \`${time}\` ${problem}`),
  ]);
});
