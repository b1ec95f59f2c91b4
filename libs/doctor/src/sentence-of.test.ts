import { expect, test } from 'vitest';
import { sentenceOf } from './sentence-of.ts';

test.each([
  ['its message', new Error('the disk said no'), 'the disk said no'],
  [
    'those of the errors in it',
    new AggregateError([new Error('no IPv6'), new Error('no IPv4')]),
    'no IPv6, no IPv4',
  ],
  ['its code', Object.assign(new Error(''), { code: 'EMFILE' }), 'EMFILE'],
  ['its name', new TypeError(''), 'TypeError'],
  ['what was thrown', 'no error at all', 'no error at all'],
])('an error is told by %s', (_, error, sentence) => {
  expect(sentenceOf(error)).toBe(sentence);
});
