import { InputFileError, type InputProblem, NotThere } from '@orchestrate/client';
import { SandboxError } from '@orchestrate/sandbox';
import { EXIT, type ExitName } from './exit-codes.ts';

export interface ToldFailure {
  readonly exit: ExitName;
  readonly message: string;
  /** Of a file that was refused: every mistake with its place. */
  readonly problems?: readonly InputProblem[] | undefined;
}

/** Something that a person can act on: one sentence with the remedy, and what the process ends with. */
export class Failure extends Error {
  readonly exit: ExitName;
  readonly problems: ToldFailure['problems'];

  constructor(
    exit: ExitName,
    message: string,
    options: { cause?: unknown; problems?: ToldFailure['problems'] } = {},
  ) {
    super(message, options);
    this.exit = exit;
    this.problems = options.problems;
  }
}

/** What JetStream says when a stream or bucket was never created (error code 10059). */
const STREAM_NOT_FOUND = 10_059;
const NO_STREAM = /stream not found|no stream answered|no stream matches/i;
const LOST = /timeout|connection (?:closed|refused|draining)|no responders|disconnect/i;

/** What to tell of any error that a command ended with. */
export function failureOf(error: unknown): ToldFailure {
  if (!(error instanceof Error)) return { exit: 'failed', message: String(error) };
  const { message } = error;
  if (error instanceof Failure) return { exit: error.exit, message, problems: error.problems };
  if (error instanceof InputFileError) return { exit: 'refused', message, problems: error.problems };
  if (error instanceof SandboxError) {
    const problems = error.problems.map(({ file, line = 1, message: told }) => ({
      file,
      line,
      path: '',
      message: told,
    }));
    return { exit: 'refused', message, problems };
  }
  if (error instanceof NotThere) return { exit: 'notThere', message };
  if ((error as { code?: unknown }).code === STREAM_NOT_FOUND || NO_STREAM.test(message)) {
    return {
      exit: 'unreachable',
      message: 'the server lacks a stream of the platform: `orchestrate doctor` says which, and what to do',
    };
  }
  if (LOST.test(message)) {
    const remedy =
      'see whether the platform is up with `orchestrate status`, then run the same command again';
    return { exit: 'unreachable', message: `nats-server does not answer any more (${message}): ${remedy}` };
  }
  return { exit: 'failed', message };
}

const PROBLEMS_SHOWN_MAX = 12;

/** A file of another kind altogether can have a mistake on every line. */
function shortened({ message, problems = [] }: ToldFailure): string {
  if (problems.length <= PROBLEMS_SHOWN_MAX) return message;
  const shown = message.split('\n').slice(0, PROBLEMS_SHOWN_MAX).join('\n');
  return `${shown}\nand ${problems.length - PROBLEMS_SHOWN_MAX} more (all of them with --json)`;
}

/** On stderr: a sentence for a person, or one JSON object for a program. */
export function tellFailure(error: unknown, as: { json: boolean; verbose: boolean }): number {
  const told = failureOf(error);
  const { exit, problems } = told;
  const exitCode = EXIT[exit];
  if (as.json) {
    const { message } = told;
    const document = { error: { code: exit, exitCode, message, ...(problems ? { problems } : {}) } };
    process.stderr.write(`${JSON.stringify(document)}\n`);
    return exitCode;
  }
  const stack = as.verbose && error instanceof Error ? `\n${error.stack}` : '';
  process.stderr.write(`${shortened(told)}${stack}\n`);
  return exitCode;
}
