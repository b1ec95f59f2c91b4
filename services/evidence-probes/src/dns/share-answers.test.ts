import { expect, test } from 'vitest';
import type { DnsAnswer, DnsResolver } from './dns-answer.ts';
import { shareAnswers } from './share-answers.ts';

const RECORDS: DnsAnswer<'TXT'> = { kind: 'records', records: ['v=spf1 -all'], ttlSec: 300 };

/** A resolver that gives the same answer to everything, a clock that is set by hand, and the two shared. */
function sharing(answer: DnsAnswer, keptSecMax = 3_600) {
  const asked: string[] = [];
  const clock = { nowMs: 0 };
  const inner = {
    async ask(name: string, type: string) {
      asked.push(`${name} ${type}`);
      return answer;
    },
  } as DnsResolver;
  return { asked, clock, resolver: shareAnswers(inner, { keptSecMax, nowMs: () => clock.nowMs }) };
}

test('a name that many domains rest on is asked for once while its TTL lasts, and the TTL told is what remains', async () => {
  const { asked, clock, resolver } = sharing(RECORDS);
  expect(await resolver.ask('_spf.esp.test', 'TXT')).toEqual(RECORDS);
  clock.nowMs = 100_000;
  expect(await resolver.ask('_SPF.esp.test', 'TXT')).toEqual({ ...RECORDS, ttlSec: 200 });
  clock.nowMs = 299_999;
  expect(await resolver.ask('_spf.esp.test', 'TXT')).toEqual({ ...RECORDS, ttlSec: 0 });
  expect(asked).toHaveLength(1);
  clock.nowMs = 300_000;
  expect(await resolver.ask('_spf.esp.test', 'TXT')).toEqual(RECORDS);
  expect(asked).toHaveLength(2);
});

test('a no is kept for its own TTL', async () => {
  const { asked, clock, resolver } = sharing({ kind: 'absent', how: 'nxdomain', ttlSec: 60 });
  await resolver.ask('_dmarc.test', 'TXT');
  clock.nowMs = 59_000;
  expect(await resolver.ask('_dmarc.test', 'TXT')).toEqual({ kind: 'absent', how: 'nxdomain', ttlSec: 1 });
  clock.nowMs = 60_000;
  await resolver.ask('_dmarc.test', 'TXT');
  expect(asked).toHaveLength(2);
});

test('that nobody answered is not kept, nor an answer without a TTL', async () => {
  for (const answer of [
    { kind: 'no_answer', reason: 'servfail' },
    { ...RECORDS, ttlSec: 0 },
  ] as const) {
    const { asked, resolver } = sharing(answer);
    await resolver.ask('_spf.esp.test', 'TXT');
    await resolver.ask('_spf.esp.test', 'TXT');
    expect(asked).toHaveLength(2);
  }
});

test('names and types are kept apart', async () => {
  const { asked, resolver } = sharing(RECORDS);
  await resolver.ask('a.test', 'TXT');
  await resolver.ask('b.test', 'TXT');
  await resolver.ask('a.test', 'A');
  expect(asked).toEqual(['a.test TXT', 'b.test TXT', 'a.test A']);
});

test('nothing is kept longer than the caller wants, however long its TTL', async () => {
  const { asked, clock, resolver } = sharing(RECORDS, 2);
  await resolver.ask('_spf.esp.test', 'TXT');
  clock.nowMs = 1_999;
  expect(await resolver.ask('_spf.esp.test', 'TXT')).toMatchObject({ ttlSec: 298 });
  clock.nowMs = 2_000;
  await resolver.ask('_spf.esp.test', 'TXT');
  expect(asked).toHaveLength(2);
});

test('who asks for a fresh answer gets one, and the others have it then', async () => {
  const { asked, clock, resolver } = sharing(RECORDS);
  await resolver.ask('_spf.esp.test', 'TXT');
  clock.nowMs = 200_000;
  expect(await resolver.ask('_spf.esp.test', 'TXT', { isFresh: true })).toEqual(RECORDS);
  clock.nowMs = 400_000;
  expect(await resolver.ask('_spf.esp.test', 'TXT')).toMatchObject({ ttlSec: 100 });
  expect(asked).toHaveLength(2);
});

test('a flood of names pushes out the oldest, and the memory stays bounded', async () => {
  const { asked, resolver } = sharing(RECORDS);
  for (let n = 0; n < 5_000; n++) await resolver.ask(`n${n}.test`, 'TXT');
  await resolver.ask('n4999.test', 'TXT');
  expect(asked).toHaveLength(5_000);
  await resolver.ask('n0.test', 'TXT');
  expect(asked).toHaveLength(5_001);
});

test('a very large answer is asked for every time', async () => {
  const { asked, resolver } = sharing({ ...RECORDS, records: ['x'.repeat(10_000)] });
  await resolver.ask('large.test', 'TXT');
  await resolver.ask('large.test', 'TXT');
  expect(asked).toHaveLength(2);
});
