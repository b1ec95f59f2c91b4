import { setImmediate } from 'node:timers/promises';
import { PublishRefused, PublishUncertain } from '@orchestrate/messaging';
import { expect, test } from 'vitest';
import { ImportStopped, writeEach } from './lead-writes.ts';

const WRITES = { what: 'leads', patienceMs: 0 };
const count = (upTo: number) => Array.from({ length: upTo }, (_, n) => n);

test('everything is written once, and only so much at a time', async () => {
  const written = new Set<number>();
  let flying = 0;
  let flyingMax = 0;
  await writeEach(count(5000), WRITES, async (n) => {
    flyingMax = Math.max(flyingMax, ++flying);
    await setImmediate();
    flying--;
    written.add(n);
  });
  expect(written.size).toBe(5000);
  expect(flyingMax).toBe(256);
});

test('what is uncertain is written again, as long as there is patience', async () => {
  const tries: number[] = [];
  await writeEach([1], { ...WRITES, patienceMs: 60_000 }, async (n) => {
    tries.push(n);
    if (tries.length < 3) throw new PublishUncertain('disconnected', 'the connection broke');
  });
  expect(tries).toEqual([1, 1, 1]);
});

test('after the first failure nothing more is begun, and what flies is waited for', async () => {
  let begun = 0;
  let ended = 0;
  const writing = writeEach(count(5000), WRITES, async (n) => {
    begun++;
    await setImmediate();
    ended++;
    if (n === 700) throw new PublishRefused(10077, 'maximum bytes exceeded');
  });
  await expect(writing).rejects.toThrow(
    /^the import stopped: nats-server refused more leads after \d+ \(maximum bytes exceeded\); run it again, nothing is counted twice$/,
  );
  expect(begun).toBeLessThan(2000);
  expect(ended).toBe(begun);
});

test('a server that stays away ends the import with how much is stored', async () => {
  const writing = writeEach(count(3), WRITES, async (n) => {
    if (n > 1) throw new PublishUncertain('timeout', 'the server did not acknowledge in time');
  });
  const error = await writing.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ImportStopped);
  expect(error).toMatchObject({
    code: 'disconnected',
    message: expect.stringContaining('disconnected from nats-server after 2 stored leads'),
    cause: { code: 'timeout' },
  });
});

test('our own mistake is not called the fault of the server', async () => {
  const writing = writeEach([1], WRITES, () => Promise.reject(new TypeError('no such thing')));
  await expect(writing).rejects.toThrow(TypeError);
});

test('a file that fails in between is told once all that flies has landed', async () => {
  let landed = 0;
  function* failing() {
    yield* count(10);
    throw new Error('the file ended in the middle');
  }
  const writing = writeEach(failing(), WRITES, async () => {
    await setImmediate();
    landed++;
  });
  await expect(writing).rejects.toThrow('the file ended in the middle');
  expect(landed).toBe(10);
});
