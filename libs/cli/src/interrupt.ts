import { EXIT } from './exit-codes.ts';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
const SHOW_CURSOR = '\u001b[?25h';

let wherePerson: () => string = () => 'interrupted';

/** By default ^C ends a command at once: everything it wrote so far is durable, and nothing is half written. */
function interrupted(): never {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${SHOW_CURSOR}`);
  process.stderr.write(`${wherePerson()}\n`);
  process.exit(EXIT.interrupted);
}

export function endOnInterrupt(): void {
  for (const signal of SIGNALS) process.on(signal, interrupted);
}

/** What ^C says from now on: how far the work is, and how to go on. */
export function onInterruptSay(sentence: () => string): void {
  wherePerson = sentence;
}

/**
 * Of a command that goes on until ^C: resolves when it comes, as often as it comes (from a terminal and from whoever
 * started us), so that an orderly end is not cut short.
 */
export function untilInterrupted(): Promise<void> {
  for (const signal of SIGNALS) process.off(signal, interrupted);
  return new Promise((done) => {
    for (const signal of SIGNALS) process.on(signal, () => done());
  });
}

/** A child ends in order, and its end is what ends us. From a terminal it hears ^C twice, which a service bears. */
export function leaveSignalsTo(child: { kill(signal: NodeJS.Signals): unknown }): void {
  for (const signal of SIGNALS) {
    process.off(signal, interrupted);
    process.on(signal, () => child.kill(signal));
  }
}

/** A reader that has seen enough (`| head`) is no error. */
export function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.ok);
    throw error;
  });
}
