import type { AskOptions, DnsAnswer, DnsResolver, QuestionType } from './dns-answer.ts';

export interface ShareOptions {
  /** No answer is kept for longer than this, whatever its TTL. */
  readonly keptSecMax: number;
  readonly nowMs?: () => number;
}

interface Kept {
  readonly answer: Exclude<DnsAnswer, { kind: 'no_answer' }>;
  readonly keptAtMs: number;
  readonly goneAtMs: number;
}

/** Ten thousand tenants share a few hundred names of providers. */
const ENTRIES_MAX = 4_096;
/** Larger ones are asked for every time, so that nobody fills the memory with them. */
const ANSWER_CHARACTERS_MAX = 4_096;

/**
 * Remembers answers for their TTL, so that a name which many domains rest on is not asked for again; at the same moment several may ask. Of an answer that is
 * given again the TTL is what remains of it. That nobody answered is not remembered.
 */
export function shareAnswers(
  resolver: DnsResolver,
  { keptSecMax, nowMs = () => performance.now() }: ShareOptions,
): DnsResolver {
  const kept = new Map<string, Kept>();

  const keep = (key: string, answer: DnsAnswer) => {
    kept.delete(key);
    if (answer.kind === 'no_answer' || isLarge(answer)) return;
    const keptSec = Math.min(answer.ttlSec, keptSecMax);
    if (keptSec <= 0) return;
    const keptAtMs = nowMs();
    kept.set(key, { answer, keptAtMs, goneAtMs: keptAtMs + keptSec * 1000 });
    const [oldest] = kept.keys();
    if (kept.size > ENTRIES_MAX && oldest !== undefined) kept.delete(oldest);
  };

  return {
    async ask<Type extends QuestionType>(name: string, type: Type, options: AskOptions = {}) {
      const key = `${type} ${name.toLowerCase()}`;
      const remembered = options.isFresh ? undefined : kept.get(key);
      if (remembered && nowMs() < remembered.goneAtMs) {
        const ageSec = (nowMs() - remembered.keptAtMs) / 1000;
        const ttlSec = Math.max(0, Math.floor(remembered.answer.ttlSec - ageSec));
        return { ...remembered.answer, ttlSec } as DnsAnswer<Type>;
      }
      const answer = await resolver.ask(name, type, options);
      keep(key, answer);
      return answer;
    },
  };
}

function isLarge(answer: DnsAnswer): boolean {
  return answer.kind === 'records' && JSON.stringify(answer.records).length > ANSWER_CHARACTERS_MAX;
}
