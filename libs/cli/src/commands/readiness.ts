import { CANONICAL_BLOCKER_LAYERS, MANAGED_EXECUTION_STATES } from '@orchestrate/canon';
import { followTruth } from '@orchestrate/client';
import type { Broker } from '@orchestrate/messaging';
import { Command, InvalidArgumentError } from 'commander';
import { idArgument, wholeNumber, withExample } from '../arguments.ts';
import { globalOptions, withBroker } from '../connect.ts';
import { Failure } from '../failure.ts';
import { untilInterrupted } from '../interrupt.ts';
import { OUTPUTS } from '../outputs.ts';
import { clockOf, printJson, printLine } from '../print.ts';
import { factTable, type Readiness, readinessScreen } from '../views/readiness.ts';
import { TenantView } from '../views/tenant-view.ts';
import { documents, layerLine, lines, liveScreen } from '../views/watch-output.ts';

const LOOK_AGAIN_MS = 1_000;

interface ReadinessOptions {
  readonly watch?: boolean;
  readonly facts?: boolean;
  readonly until?: Until;
  readonly timeout?: number;
}

export function readinessCommand(): Command {
  const command = new Command('readiness')
    .description('the nine layers of a tenant: state, bucket, owner, reason and facts; honest unknowns apart')
    .argument('<tenant>', 'its id', idArgument)
    .option('--facts', 'every fact of every source, with its last value and how long it is good')
    .option('--watch', 'go on and show every change as it comes, until ^C')
    .option(
      '--until <state>',
      'watch until every layer shows this state, or the layer named as in `mailbox=ready`',
      untilArgument,
    )
    .option('--timeout <seconds>', 'give up waiting after this long', wholeNumber(1, 86_400))
    .action(readiness);
  return withExample(
    command,
    'readiness aurora',
    'readiness aurora --watch',
    'readiness aurora --until sending_domain=ready --timeout 60',
  );
}

/** The state that all layers, or one of them, are to show. */
class Until {
  readonly #layer: string | null;
  readonly #state: string;

  constructor(layer: string | null, state: string) {
    this.#layer = layer;
    this.#state = state;
  }

  get name(): string {
    return this.#layer === null ? `every layer is ${this.#state}` : `${this.#layer} is ${this.#state}`;
  }

  isReached(readiness: Readiness): boolean {
    return this.waiting(readiness).length === 0;
  }

  waiting({ layers }: Readiness): Readiness['layers'] {
    return layers.filter(
      ({ layer, state }) => (this.#layer === null || layer === this.#layer) && state !== this.#state,
    );
  }
}

function untilArgument(text: string): Until {
  const [first = '', second] = text.split('=');
  const [layer, state] = second === undefined ? [null, first] : [first, second];
  const layers: readonly string[] = CANONICAL_BLOCKER_LAYERS;
  const states: readonly string[] = MANAGED_EXECUTION_STATES;
  if (layer !== null && !layers.includes(layer)) {
    throw new InvalidArgumentError(`\`${layer}\` is no layer: there are ${layers.join(', ')}`);
  }
  if (!states.includes(state)) {
    throw new InvalidArgumentError(`\`${state}\` is no state: there are ${states.join(', ')}`);
  }
  return new Until(layer, state);
}

async function readiness(tenantId: string, options: ReadinessOptions, command: Command): Promise<void> {
  if (options.timeout !== undefined && !options.until) {
    throw new Failure('usage', '--timeout is for --until: name what is waited for');
  }
  await withBroker(command, async (broker) => {
    const view = await TenantView.read(broker, tenantId);
    if (options.watch || options.until) return watch(broker, view, options, command);
    const nowMs = Date.now();
    const shown = view.readiness(nowMs);
    if (globalOptions(command).json) printJson(OUTPUTS.readiness, shown);
    else printLine(options.facts ? factTable(shown, nowMs) : readinessScreen(shown, nowMs));
  });
}

/** Goes on until ^C, until what was waited for is there, or until the time is over. */
async function watch(
  broker: Broker,
  view: TenantView,
  { watch: isWatched, until, timeout, facts }: ReadinessOptions,
  command: Command,
): Promise<void> {
  const picture = facts ? factTable : readinessScreen;
  const output = globalOptions(command).json
    ? documents()
    : process.stdout.isTTY
      ? liveScreen(picture)
      : lines(isWatched ? picture : (shown) => (until?.waiting(shown) ?? []).map(layerLine).join('\n'));
  const reached = Promise.withResolvers<'reached'>();
  let shown: Readiness | null = null;
  const look = () => {
    if (!shown) return;
    const before = shown;
    shown = view.readiness(Date.now());
    output.looked(before, shown);
    if (until?.isReached(shown)) reached.resolve('reached');
  };
  void tellBreaks(broker, output.note);
  const follower = await followTruth(broker, view.tenantId, view.stored.seq + 1, {
    onTruth: (stored) => {
      view.stored = stored;
      look();
    },
    onMark: ({ asOfMs }) => {
      view.asOfMs = asOfMs;
    },
  });
  shown = view.readiness(Date.now());
  output.first(shown);
  look();
  const timer = setInterval(look, LOOK_AGAIN_MS);
  const ended = await Promise.race([
    untilInterrupted().then(() => 'interrupted' as const),
    reached.promise,
    timeOver(timeout),
    follower.done.then(() => 'interrupted' as const),
  ]);
  clearInterval(timer);
  output.last(shown);
  await follower.close();
  if (!until) return;
  if (ended === 'reached') return output.note(`reached: ${until.name}`);
  throw ended === 'interrupted'
    ? new Failure('interrupted', `stopped waiting for \`${view.tenantId}\``)
    : new Failure(
        'failed',
        `\`${view.tenantId}\` did not get there within ${timeout} s: see above what it waits for`,
      );
}

/** Never, without a limit. */
function timeOver(limitSec: number | undefined): Promise<'timeout'> {
  return new Promise((done) => {
    if (limitSec !== undefined) setTimeout(() => done('timeout'), limitSec * 1000).unref();
  });
}

/** A server that is away for a moment is waited for; what is shown meanwhile grows old and says so. */
async function tellBreaks(broker: Broker, tell: (line: string) => void): Promise<void> {
  for await (const { type } of broker.nc.status()) {
    const nowMs = Date.now();
    if (type === 'disconnect') tell(`${clockOf(nowMs)}  nats-server is away, waiting for it`);
    else if (type === 'reconnect') tell(`${clockOf(nowMs)}  nats-server is back`);
  }
}
