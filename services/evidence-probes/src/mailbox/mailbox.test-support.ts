import { inspect } from 'node:util';
import { expect } from 'vitest';
import type { Answer } from '../probe/answer.ts';

/** `{ token: 'active', canSend: '?timeout' }`: values as they are, unknowns with a question mark. */
export function summary(answers: readonly Answer[]): Record<string, string | number | boolean> {
  return Object.fromEntries(
    answers.map((answer) => [answer.fact, 'unknown' in answer ? `?${answer.unknown}` : answer.value]),
  );
}

/** In none of the ways in which somebody might write it out, nor as mail and web protocols encode it. */
export function expectNoSecret(thing: unknown, ...secrets: readonly string[]): void {
  const written = `${inspect(thing, { depth: null, showHidden: true })}\n${JSON.stringify(thing)}`;
  for (const secret of secrets) {
    for (const form of [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')])
      expect(written).not.toContain(form);
  }
}

/** Runs the work and returns all that it wrote to the console and to both streams. */
export async function captureOutput(work: () => Promise<void>): Promise<string> {
  const written: string[] = [];
  const restore = (['stdout', 'stderr'] as const).map((name) => {
    const stream = process[name];
    const { write } = stream;
    stream.write = ((chunk: unknown) => written.push(String(chunk)) > 0) as typeof write;
    return () => {
      stream.write = write;
    };
  });
  const methods = ['debug', 'error', 'info', 'log', 'warn'] as const;
  const before = Object.fromEntries(methods.map((method) => [method, console[method]]));
  for (const method of methods) console[method] = (...all) => written.push(inspect(all, { depth: null }));
  try {
    await work();
  } finally {
    for (const undo of restore) undo();
    Object.assign(console, before);
  }
  return written.join('\n');
}
