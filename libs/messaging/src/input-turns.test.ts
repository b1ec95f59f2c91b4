import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputTurns } from './input-turns.ts';
import type { StoredMessage } from './stored-message.ts';

const input = (key: string, seq: number): StoredMessage => ({
  stream: 'EVIDENCE',
  subject: `evidence.0.${key}.billing.main`,
  seq,
  storedAtMs: seq * 10,
  data: new Uint8Array(),
  pending: 0,
});

/** Turns over a stream that holds these keys, one message each; `handled` is what came of it, in order. */
function turnsOver(keys: readonly string[], pause: () => Promise<void> = async () => {}) {
  const stored = keys.map((key, index) => input(key, index + 1));
  const handled: StoredMessage[] = [];
  let readAgain = 0;
  const turns = new InputTurns({
    async handle(one) {
      await pause();
      handled.push(one);
    },
    async readNext(key, fromSeq, max) {
      readAgain++;
      return stored
        .filter((one) => one.seq >= fromSeq && one.subject === input(key, 0).subject)
        .slice(0, max);
    },
    failed: (error) => expect.unreachable(error.message),
  });
  return { stored, handled, turns, readAgain: () => readAgain };
}

const keyOf = ({ subject }: StoredMessage) => subject.split('.')[2]!;
const seqs = (messages: readonly StoredMessage[]) => messages.map(({ seq }) => seq);

describe('InputTurns', () => {
  it('handles each input once, those of a key in their order, however many are left in the stream', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 1, max: 700 })), {
          maxLength: 12,
        }),
        async (bursts) => {
          const keys = bursts.flatMap(([key, count]) => Array<string>(count).fill(key));
          const { stored, handled, turns } = turnsOver(keys);
          for (const one of stored) turns.add(keyOf(one), one);
          await turns.workedOff();
          expect(handled.length).toBe(stored.length);
          for (const key of ['a', 'b', 'c']) {
            const ofKey = (messages: readonly StoredMessage[]) =>
              messages.filter((one) => keyOf(one) === key);
            expect(seqs(ofKey(handled))).toEqual(seqs(ofKey(stored)));
          }
          expect([turns.isEmpty, turns.waiting, turns.oldest()]).toEqual([true, 0, null]);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('lets a quiet key pass a noisy one that came before it', async () => {
    const { stored, handled, turns, readAgain } = turnsOver([...Array<string>(5_000).fill('noisy'), 'quiet']);
    for (const one of stored) turns.add(keyOf(one), one);
    expect(turns.waiting).toBeLessThan(300);
    await turns.workedOff();
    expect(handled.findIndex((one) => keyOf(one) === 'quiet')).toBeLessThan(20);
    expect(handled.length).toBe(5_001);
    expect(readAgain()).toBeGreaterThan(10);
  });

  it('knows the oldest that is not handled at every moment, and time does not go back', async () => {
    const keys = Array.from({ length: 900 }, (_, index) => (index % 3 === 0 ? 'b' : 'a'));
    const { stored, handled, turns } = turnsOver(keys, async () => {
      const oldest = turns.oldest()!;
      const done = new Set(seqs(handled));
      const first = seqs(stored).find((seq) => !done.has(seq))!;
      expect(oldest.seq).toBeLessThanOrEqual(first);
      expect(oldest.storedAtMs).toBeLessThanOrEqual(first * 10);
      expect(oldest.storedAtMs).toBeGreaterThanOrEqual(before);
      before = oldest.storedAtMs;
    });
    let before = 0;
    for (const one of stored) turns.add(keyOf(one), one);
    await turns.workedOff();
    expect(handled.length).toBe(900);
  });

  it('keeps few of very many keys', async () => {
    const keys = Array.from({ length: 5_000 }, (_, index) => `k${index % 2_500}`);
    const { stored, handled, turns } = turnsOver(keys);
    for (const one of stored) turns.add(keyOf(one), one);
    await turns.workedOff();
    expect(handled.length).toBe(5_000);
  });

  it('begins nothing more once it is closed', async () => {
    const { stored, handled, turns } = turnsOver(Array<string>(100).fill('a'));
    for (const one of stored) turns.add(keyOf(one), one);
    await turns.close();
    expect(handled.length).toBeLessThan(20);
    expect(turns.oldest()?.seq).toBe(handled.length + 1);
  });

  it('keeps nobody waiting for what came after it was closed', async () => {
    const { stored, handled, turns } = turnsOver(['a']);
    await turns.close();
    turns.add('a', stored[0]!);
    await turns.workedOff();
    expect(handled).toEqual([]);
  });
});
