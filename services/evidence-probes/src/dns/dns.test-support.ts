import type { Answer } from './answer.ts';
import { createTxtResolver, type TxtResolver } from './resolver.ts';

/** What a test DNS server is started with: one zone `test` in master format, and an empty reverse zone. */
export function serving<Behaviours extends object>(zone: string, behaviours?: Behaviours) {
  return { zones: { test: zone, 'in-addr.arpa': '' }, ...(behaviours === undefined ? {} : { behaviours }) };
}

export function resolverFor(server: { readonly address: string }): TxtResolver {
  return createTxtResolver({ servers: [server.address], timeoutMs: 150, tries: 1 });
}

/** `{ spf: 'pass', dkim: '?timeout' }`: values as they are, unknowns with a question mark. */
export function summary(answers: readonly Answer[]): Record<string, string | number | boolean> {
  return Object.fromEntries(
    answers.map((answer) => [answer.fact, 'unknown' in answer ? `?${answer.unknown}` : answer.value]),
  );
}

/** A TXT record of any length in master format, cut into strings of 250. */
export function txt(text: string): string {
  const strings = text.match(/.{1,250}/gs) ?? [''];
  return `TXT ${strings.map((string) => `"${string}"`).join(' ')}`;
}
