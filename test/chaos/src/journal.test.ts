import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Attempt, Journal, readJournal } from './journal.ts';

const attempt = (digest: string): Attempt => ({
  kind: 'request',
  stream: 'REQUESTS',
  subject: 'dispatch.1.acme.d-1',
  digest,
});

test('an operation without an answer is unknown, and an answer is noted once', () => {
  const journal = new Journal();
  const first = journal.invoke(attempt('a'));
  journal.invoke(attempt('b'));
  journal.end(first, { state: 'ok', seq: 7 });
  expect(journal.operations().map(({ ending }) => ending.state)).toEqual(['ok', 'unknown']);
  expect(() => journal.end(first, { state: 'unknown', problem: 'late' })).toThrow('operation 0');
});

test('the file of a run that died says as much as was noted, and a line that was cut off is not one', () => {
  const directory = mkdtempSync(join(tmpdir(), 'orchestrate-test-'));
  const file = join(directory, 'journal.jsonl');
  const journal = new Journal(file);
  journal.end(journal.invoke(attempt('a')), { state: 'ok', seq: 7 });
  journal.end(journal.invoke(attempt('b')), { state: 'refused', problem: 'full' });
  journal.invoke(attempt('c'));
  appendFileSync(file, '{"at":"end","op":2,"st');
  expect(readJournal(file)).toEqual(journal.operations());
  rmSync(directory, { recursive: true });
});
