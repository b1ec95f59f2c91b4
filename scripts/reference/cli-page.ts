import {
  buildProgram,
  type Command,
  ERROR_OUTPUT,
  EXIT,
  EXIT_MEANINGS,
  type ExitName,
  type Option,
  OUTPUTS,
} from '@orchestrate/cli';
import { z } from 'zod';
import { cell, MADE, table } from './markdown.ts';

/** Every command that does something, with the words that call it. */
export function commandsOf(program: Command, before = ''): { path: string; command: Command }[] {
  return program.commands.flatMap((command) => {
    const path = `${before}${command.name()}`;
    return command.commands.length > 0 ? commandsOf(command, `${path} `) : [{ path, command }];
  });
}

export function cliPage(): string {
  const program = buildProgram();
  const commands = commandsOf(program);
  const parts = [
    `# Command line\n\n${MADE}\n\nIn the repository: \`npx orchestrate <command>\`. In a fresh clone the first call brings what is missing.`,
    `## All commands\n\n${table(
      ['command', 'what it does'],
      commands.map(({ path, command }) => [`[\`${path}\`](#${anchor(path)})`, cell(command.description())]),
    )}`,
    `## Options of every command\n\n${optionTable(program.options)}`,
    `## Exit codes\n\n${table(
      ['code', 'meaning'],
      (Object.keys(EXIT) as ExitName[]).map((name) => [String(EXIT[name]), cell(EXIT_MEANINGS[name])]),
    )}\n\nA command that goes on until it is told to stop (\`up\`, \`run\`, \`readiness --watch\`, \`decisions --follow\`) ends with 0 on ^C.`,
    `## JSON\n\nWith \`--json\` a command prints one document a line on standard output; on failure one document stands on standard error: \`{"error": {"code", "exitCode", "message", "problems"?}}\`. What the documents hold is fixed in [cli-output.schema.json](cli-output.schema.json), one definition for each command. Fields are added, none is taken away or given another meaning without a new major version.`,
    ...commands.map(({ path, command }) => commandPart(path, command)),
  ];
  return `${parts.join('\n\n')}\n`;
}

const anchor = (path: string): string => path.replaceAll(' ', '-');

function commandPart(path: string, command: Command): string {
  const words = command.registeredArguments.map((argument) => {
    const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
    return argument.required ? `<${name}>` : `[${name}]`;
  });
  const parts = [
    `## ${path}`,
    `${sentence(command.description())}`,
    `\`\`\`\norchestrate ${[path, ...words, ...(command.options.length > 0 ? ['[options]'] : [])].join(' ')}\n\`\`\``,
  ];
  const described = command.registeredArguments.filter(({ description }) => description);
  if (described.length > 0) {
    parts.push(
      table(
        ['argument', ''],
        described.map((argument) => [
          `\`${argument.name()}\``,
          cell(`${argument.description}${argument.argChoices ? `: ${argument.argChoices.join(', ')}` : ''}`),
        ]),
      ),
    );
  }
  if (command.options.length > 0) parts.push(optionTable(command.options));
  parts.push(`\`\`\`\n${examplesOf(command).join('\n')}\n\`\`\``);
  return parts.join('\n\n');
}

const sentence = (text: string): string => `${text[0]!.toUpperCase()}${text.slice(1)}.`;

function optionTable(options: readonly Option[]): string {
  return table(
    ['option', '', 'default'],
    options
      .filter(({ hidden }) => !hidden)
      .map((option) => [
        `\`${option.flags}\``,
        cell(
          `${option.description}${option.argChoices ? `: ${option.argChoices.join(', ')}` : ''}${option.mandatory ? ' (required)' : ''}${option.envVar ? ` (also \`${option.envVar}\`)` : ''}`,
        ),
        defaultOf(option),
      ]),
  );
}

/** A default that depends on the machine is told in words. */
function defaultOf({ defaultValue, defaultValueDescription }: Option): string {
  if (defaultValueDescription) return cell(defaultValueDescription);
  return defaultValue === undefined ? '' : `\`${String(defaultValue)}\``;
}

/** What the help shows below its options. */
export function examplesOf(command: Command): string[] {
  let help = '';
  const kept = command.configureOutput();
  command.configureOutput({
    ...kept,
    writeOut: (text) => {
      help += text;
    },
  });
  command.outputHelp();
  command.configureOutput(kept);
  const [, examples = ''] = help.split(/\nExamples?:\n/);
  return examples
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('orchestrate '));
}

/** One JSON Schema (2020-12) with a definition for what each command prints, and one for failures. */
export function outputSchema(): string {
  const all = z.strictObject({ ...OUTPUTS, error: ERROR_OUTPUT });
  const { properties, $defs: shared } = z.toJSONSchema(all, { io: 'input', reused: 'ref' });
  const document = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'What the commands of orchestrate print with --json, one document a line',
    $comment:
      'Made by `npm run docs` from libs/cli/src/outputs.ts. A definition for each command, and `error`.',
    $defs: { ...properties, ...shared },
  };
  return `${JSON.stringify(document, null, 1)}\n`;
}
