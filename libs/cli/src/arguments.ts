import { userInfo } from 'node:os';
import { ID_PATTERN } from '@orchestrate/canon';
import { type Command, InvalidArgumentError, Option } from 'commander';

/** A whole number within bounds, both included. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= min && number <= max) return number;
    throw new InvalidArgumentError(`it takes a whole number from ${min} to ${max}`);
  };
}

export function idArgument(text: string): string {
  if (ID_PATTERN.test(text)) return text;
  throw new InvalidArgumentError(
    'an id is 1 to 64 of a-z 0-9 _ - and starts with a letter or digit: no dot, star or space',
  );
}

/** Who acts. A record names a person by an id, never by an address or a full name. */
export function actorOption(): Option {
  return new Option('--actor <id>', 'who acts, as an id')
    .env('ORCHESTRATE_ACTOR')
    .default(userName(), 'your user name here')
    .argParser(idArgument);
}

function userName(): string {
  const name = userInfo()
    .username.toLowerCase()
    .replaceAll(/[^a-z0-9_-]/g, '-')
    .replace(/^[_-]+/, '')
    .slice(0, 64);
  return ID_PATTERN.test(name) ? name : 'operator';
}

/** Every command shows how it is used. */
export function withExample(command: Command, ...lines: readonly string[]): Command {
  return command.addHelpText(
    'after',
    `\nExample${lines.length > 1 ? 's' : ''}:\n${lines.map((line) => `  orchestrate ${line}`).join('\n')}`,
  );
}
