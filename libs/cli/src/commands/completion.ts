import tab from '@bomb.sh/tab';
import register from '@bomb.sh/tab/commander';
import { readTenants } from '@orchestrate/client';
import { attach } from '@orchestrate/embedded';
import { connectBroker } from '@orchestrate/messaging';
import { Argument, Command, type Command as CommandType } from 'commander';
import { withExample } from '../arguments.ts';

const SHELLS = ['bash', 'zsh', 'fish', 'powershell'] as const;
const NAME = 'orchestrate';
const TENANTS_MS_MAX = 400;
/** The adapter wants a command of its own; ours prints the script. */
const OWN_NAME = 'completion-script';

/** The one function that the script takes from the package bash-completion, for a bash that does not have it. */
const BASH_FALLBACK = `if ! declare -F _get_comp_words_by_ref >/dev/null; then
  _get_comp_words_by_ref() {
    while [ $# -gt 0 ]; do
      case "$1" in
        -n) shift ;;
        cur) cur="\${COMP_WORDS[COMP_CWORD]}" ;;
        prev) prev="\${COMP_WORDS[COMP_CWORD - 1]}" ;;
        words) words=("\${COMP_WORDS[@]}") ;;
        cword) cword="$COMP_CWORD" ;;
      esac
      shift
    done
  }
fi
`;

export function completionCommand(): Command {
  const command = new Command('completion')
    .description('print the script that completes commands, options, and tenants with the TAB key')
    .addArgument(new Argument('<shell>', 'yours').choices(SHELLS))
    .action((shell: (typeof SHELLS)[number]) => {
      if (shell === 'bash') process.stdout.write(BASH_FALLBACK);
      tab.setup(NAME, NAME, shell);
    });
  return withExample(
    command,
    'completion bash >> ~/.bashrc',
    'completion fish > ~/.config/fish/completions/orchestrate.fish',
  );
}

/** What the script of the shell calls: `orchestrate complete -- <words so far>`. */
export const isCompletionRequest = (argv: readonly string[]): boolean =>
  argv[2] === 'complete' && argv[3] === '--';

export async function answerCompletion(program: CommandType, argv: readonly string[]): Promise<void> {
  register(program, { completionCommandName: OWN_NAME });
  tab.commands.delete(OWN_NAME);
  const words = argv.slice(4);
  const tenants = await tenantsHere(words);
  for (const command of commandsOf(program)) {
    if (command.registeredArguments[0]?.name() !== 'tenant') continue;
    tab.commands.get(pathOf(command))?.argument('tenant', (complete) => {
      for (const tenantId of tenants) complete(tenantId, 'tenant');
    });
  }
  tab.parse(words);
}

/** Tenants of the platform on this machine; nobody waits long for a completion, so without an answer there are none. */
async function tenantsHere(words: readonly string[]): Promise<readonly string[]> {
  const option = (name: string) => words[words.indexOf(name) + 1 || words.length];
  const { ORCHESTRATE_DATA_DIR = '.orchestrate', NATS_URL } = process.env;
  const url = option('--nats-url') || NATS_URL || attach(option('--data-dir') ?? ORCHESTRATE_DATA_DIR);
  if (!url) return [];
  const read = async () => {
    await using broker = await connectBroker({ url, name: 'orchestrate-completion' });
    return await readTenants(broker);
  };
  const late = new Promise<readonly string[]>((done) => setTimeout(() => done([]), TENANTS_MS_MAX).unref());
  return await Promise.race([read().catch(() => []), late]);
}

function commandsOf(program: CommandType): CommandType[] {
  return program.commands.flatMap((command) => [command, ...commandsOf(command)]);
}

function pathOf(command: CommandType): string {
  const { parent } = command;
  return parent?.parent ? `${pathOf(parent)} ${command.name()}` : command.name();
}
