import { REASONS } from '@orchestrate/canon';
import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { dispatchRequested } from './dispatch.ts';
import { request } from './message.test-support.ts';
import {
  budgetId,
  campaignStep,
  cause,
  clockTime,
  codeVersion,
  domainName,
  id,
  reference,
  sha256,
  timeMs,
  timeZone,
  version,
} from './scalars.ts';

describe('an id that would mean something in a subject [A12]', () => {
  test.each([
    ['a dot', 'acme.eu'],
    ['a star', 'acme*'],
    ['a greater-than', 'acme>'],
    ['a space', 'ac me'],
    ['a capital', 'Acme'],
    ['nothing', ''],
    ['too much', 'a'.repeat(65)],
    ['a line end', 'acme\n'],
  ])('%s is refused, and the message names the rule', (_, tenantId) => {
    const { error } = dispatchRequested.strict.safeParse({ ...request(), tenantId });
    expect(error?.issues.map((issue) => [issue.path.join('.'), issue.message])).toEqual([
      [
        'tenantId',
        'an id is 1 to 64 of a-z 0-9 _ - and starts with a letter or digit: no dot, star or space',
      ],
    ]);
  });
});

describe('scalars [A12]', () => {
  test.each<[string, z.ZodType, unknown[], unknown[]]>([
    ['id', id, ['a', '0-x_y', 'a'.repeat(64)], ['_all', '-a']],
    ['sha256', sha256, ['0'.repeat(64)], ['A'.repeat(64), '0'.repeat(63), `${'0'.repeat(64)}\n`]],
    ['timeMs', timeMs, [0, 1_772_445_600_000], [-1, 1.5, Number.NaN, '0', 9e15]],
    ['reference', reference, ['EVIDENCE/1'], ['evidence/1', 'EVIDENCE/', 'EVIDENCE/1/2']],
    ['version', version, ['1.0', '1.12'], ['1', '1.0.0', 'v1.0']],
    [
      'domainName',
      domainName,
      ['acme.example', 'xn--bcher-kva.example'],
      [
        'acme',
        'Acme.example',
        'acme.example.',
        'a_b.example',
        'ann@acme.example',
        `${'a'.repeat(64)}.example`,
      ],
    ],
    ['clockTime', clockTime, ['00:00', '23:59'], ['24:00', '9:00', '12:60']],
    ['timeZone', timeZone, ['Europe/Madrid', 'Etc/GMT+3'], ['', 'Europe/Madrid now']],
    [
      'cause',
      cause,
      [...REASONS, 'check', 'odd_rows', 'ticket-4711'],
      [
        '',
        'two words',
        'Legal',
        '4711',
        'ann@example.com',
        'ya29.a0Af_x',
        'eyJh.eyJz.abc',
        'sk_live_4f9b2c71d0e8a6355b1c',
        `a${'_b'.repeat(6)}`,
        'abcdefghijklmnop_'.repeat(4),
      ],
    ],
    ['campaignStep', campaignStep, ['spring:1', 'a-b_c:20'], ['spring', 'spring:', 'Spring:1', 'a:b:1']],
    ['budgetId', budgetId, ['mailbox:anna', 'domain:main'], ['anna', 'mailbox:', 'mailbox:a@b', 'a:b:c']],
    ['codeVersion', codeVersion, ['0.1.0', '1.2.3-beta.4'], ['1.2', 'v1.2.3', '1.2.3-eyJh.eyJz']],
  ])('%s', (_, schema, good, bad) => {
    for (const value of good) expect(schema.safeParse(value).success, String(value)).toBe(true);
    for (const value of bad) expect(schema.safeParse(value).success, String(value)).toBe(false);
  });
});
