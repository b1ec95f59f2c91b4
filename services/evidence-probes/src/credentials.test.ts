import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { Credentials } from './credentials.ts';

const schema = z.strictObject({ user: z.string().min(1), password: z.string().min(8) });
const PLANTED = 'hunter2-planted';

async function folder() {
  const path = mkdtempSync(join(tmpdir(), 'orchestrate-credentials-'));
  return {
    write: (name: string, text: string) => {
      mkdirSync(join(path, 'mailboxes/acme'), { recursive: true });
      writeFileSync(join(path, name), text);
    },
    credentials: await Credentials.in(path),
    age: (name: string) => utimesSync(join(path, name), new Date(0), new Date(0)),
    fresh: (name: string) => (statSync(join(path, name), { throwIfNoEntry: false })?.mtimeMs ?? 0) > 0,
    names: () => readdirSync(join(path, 'mailboxes/acme')),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

const AT = ['mailboxes', 'acme', 'anna'];
const FILE = 'mailboxes/acme/anna.json';

test('a secret that was rotated is used from then on', async () => {
  using files = await folder();
  files.write(FILE, JSON.stringify({ user: 'anna', password: `${PLANTED}-1` }));
  expect(await files.credentials.read(AT, schema)).toEqual({ user: 'anna', password: `${PLANTED}-1` });
  files.write(FILE, JSON.stringify({ user: 'anna', password: `${PLANTED}-2` }));
  expect(await files.credentials.read(AT, schema)).toMatchObject({ password: `${PLANTED}-2` });
});

test('where nobody put a secret there is none, which is no fault', async () => {
  using files = await folder();
  expect(await files.credentials.read(AT, schema)).toBeNull();
  expect(await (await Credentials.in(null)).read(AT, schema)).toBeNull();
});

test.each([
  [`{"user": "${PLANTED}", "password": "short"}`, 'password'],
  [`{"user": 1, "password": "${PLANTED}", "${PLANTED}": 1}`, 'user, the whole file'],
  [`{"user": "${PLANTED}"`, 'not JSON'],
  [`"${PLANTED}"`, 'the whole file'],
])(
  'a file that cannot be used is named with the place, without what stands in it: %#',
  async (text, told) => {
    using files = await folder();
    files.write(FILE, text);
    const fault = await files.credentials.read(AT, schema).catch((error: Error) => error);
    expect(fault).toBeInstanceOf(Error);
    expect((fault as Error).message).toContain(FILE);
    expect((fault as Error).message).toContain(told);
    expect((fault as Error).message).not.toContain(PLANTED);
  },
);

test('whatever stands in the file, it is a credential or a named fault', async () => {
  using files = await folder();
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.string(), fc.json()), async (text) => {
      files.write(FILE, text);
      const read = await files.credentials.read(AT, schema).catch((error: Error) => error.message);
      if (typeof read === 'string') expect(read.startsWith(`${FILE}: `)).toBe(true);
    }),
  );
});

test('a folder that is not there is named at the start', async () => {
  await expect(Credentials.in('/nowhere/at/all')).rejects.toThrow(
    'CREDENTIALS_DIR: there is no folder `/nowhere/at/all`',
  );
});

test('what must be done by one at a time is done by one, and by the next afterwards', async () => {
  using files = await folder();
  files.write(FILE, '{}');
  const held = Promise.withResolvers<string>();
  const first = files.credentials.alone(AT, () => held.promise);
  await expect.poll(() => files.credentials.alone(AT, async () => 'second')).toBeNull();
  held.resolve('first');
  expect(await first).toBe('first');
  expect(await files.credentials.alone(AT, async () => 'third')).toBe('third');
});

test('a lock that a dead process left is not waited for for ever', async () => {
  using files = await folder();
  files.write(FILE.replace('.json', '.lock'), '');
  expect(await files.credentials.alone(AT, async () => 'done')).toBeNull();
  files.age(FILE.replace('.json', '.lock'));
  expect(await files.credentials.alone(AT, async () => 'done')).toBe('done');
});

test('one secret takes the place of another as a whole, and leaves nothing beside it', async () => {
  using files = await folder();
  files.write(FILE, JSON.stringify({ user: 'anna', password: `${PLANTED}-1` }));
  await files.credentials.replace(AT, { user: 'anna', password: `${PLANTED}-2` });
  expect(await files.credentials.read(AT, schema)).toMatchObject({ password: `${PLANTED}-2` });
  expect(files.names()).toEqual(['anna.json']);
  const fault = await files.credentials
    .replace(['mailboxes', 'nobody', 'x'], { password: PLANTED })
    .catch(String);
  expect(fault).toBe('Error: mailboxes/nobody/x.json: cannot be replaced, ENOENT');
});

test('what goes on after the work has answered holds the lock, and the folder is idle when it ends', async () => {
  using files = await folder();
  files.write(FILE, '{}');
  const exchange = Promise.withResolvers<void>();
  const answered = await files.credentials.alone(AT, async (hold) => {
    hold(exchange.promise);
    return 'timeout';
  });
  expect(answered).toBe('timeout');
  expect(await files.credentials.alone(AT, async () => 'second')).toBeNull();
  exchange.reject(new Error('the other side hung up'));
  await files.credentials.idle();
  expect(await files.credentials.alone(AT, async () => 'third')).toBe('third');
});

test('whoever is through leaves the lock of the next one alone', async () => {
  using files = await folder();
  files.write(FILE, '{}');
  const held = Promise.withResolvers<string>();
  const slow = files.credentials.alone(AT, () => held.promise);
  await expect.poll(() => files.names()).toContain('anna.lock');
  files.age(FILE.replace('.json', '.lock'));
  const next = Promise.withResolvers<string>();
  const second = files.credentials.alone(AT, () => next.promise);
  await expect.poll(() => files.fresh(FILE.replace('.json', '.lock'))).toBe(true);
  held.resolve('slow');
  expect(await slow).toBe('slow');
  expect(await files.credentials.alone(AT, async () => 'third')).toBeNull();
  next.resolve('second');
  expect(await second).toBe('second');
});
