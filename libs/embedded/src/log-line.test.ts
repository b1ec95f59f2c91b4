import { expect, test } from 'vitest';
import { readableLogLine } from './log-line.ts';

const record = (fields: object) => JSON.stringify({ level: 30, time: 1, pid: 2, hostname: 'h', ...fields });

test('a record becomes prefix, level, message and its other keys', () => {
  const line = record({ service: 'layer-runtime', msg: 'layer changed', tenantId: 'acme', held: 3 });
  expect(readableLogLine('layer-runtime-1', line)).toBe(
    'layer-runtime-1        info  layer changed tenantId=acme held=3',
  );
});

test('values with spaces and structures stay apart from each other', () => {
  const line = record({ level: 40, msg: 'slow', reason: 'two words', span: { ms: 5 } });
  expect(readableLogLine('x', line)).toMatch(/warn {2}slow reason="two words" span=\{"ms":5\}$/);
});

test('an error is shown with its stack', () => {
  const err = { type: 'Error', message: 'boom', stack: 'Error: boom\n    at main.ts:1' };
  expect(readableLogLine('x', record({ level: 50, msg: 'failed', err }))).toContain(
    'err=Error: boom\n    at main.ts:1',
  );
});

test.each(['plain words', '{not json', '{"a":1}', 'null'])(
  '`%s` passes through behind its prefix',
  (line) => {
    expect(readableLogLine('x', line)).toBe(`${'x'.padEnd(22)} ${line}`);
  },
);

test('there is colour only when asked for', () => {
  const escapeCode = String.fromCharCode(27);
  expect(readableLogLine('x', record({ msg: 'm' }))).not.toContain(escapeCode);
  expect(readableLogLine('x', record({ msg: 'm' }), { colour: true })).toContain(escapeCode);
});
