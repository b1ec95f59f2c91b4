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
import { LiveScreen } from '../views/live-screen.ts';
import {
  changeLine,
  changesBetween,
  factTable,
  type Readiness,
  readinessScreen,
} from '../views/readiness.ts';
import { TenantView } from '../views/tenant-view.ts';

const LOOK_AGAIN_MS = 1_000;

interface ReadinessOptions {
  readonly watch?: boolean;
  readonly facts?: boolean;
  readonly until?: (readiness: Readiness) => boolean;
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

function untilArgument(text: string): (readiness: Readiness) => boolean {
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
  return ({ layers: shown }) =>
    shown.every((one) => (layer !== null && one.layer !== layer) || one.state === state);
}

async function readiness(tenantId: string, options: ReadinessOptions, command: Command): Promise<void> {
  await withBroker(command, async (broker) => {
    const view = await TenantView.read(broker, tenantId);
    if (options.watch || options.until) return watch(broker, view, options, command);
    const nowMs = Date.now();
    const shown = view.readiness(nowMs);
    if (globalOptions(command).json) printJson(OUTPUTS.readiness, shown);
    else printLine(options.facts ? factTable(shown, nowMs) : readinessScreen(shown, nowMs));
  });
}

/** A screen that is drawn anew on a terminal; elsewhere the first picture, then a line for each change. */
async function watch(
  broker: Broker,
  view: TenantView,
  { until, timeout, facts }: ReadinessOptions,
  command: Command,
): Promise<void> {
  const { json } = globalOptions(command);
  const screen = json || !process.stdout.isTTY ? null : new LiveScreen();
  const draw = (shown: Readiness, nowMs: number) =>
    facts ? factTable(shown, nowMs) : readinessScreen(shown, nowMs);
  const changes: string[] = [];
  const reached = Promise.withResolvers<'reached'>();
  let shown = view.readiness(Date.now());
  const show = () => {
    const nowMs = Date.now();
    const next = view.readiness(nowMs);
    const lines = changesBetween(shown, next).map((change) => changeLine(change, nowMs));
    const isNews = lines.length > 0 || next.fingerprint !== shown.fingerprint || next.fresh !== shown.fresh;
    shown = next;
    if (screen) {
      changes.push(...lines);
      screen.draw(draw(shown, nowMs), changes);
    } else if (json && isNews) printJson(OUTPUTS.readiness, shown);
    else for (const line of lines) printLine(line);
    if (until?.(shown)) reached.resolve('reached');
  };
  if (json) printJson(OUTPUTS.readiness, shown);
  else if (!screen) printLine(`${draw(shown, Date.now())}\n`);
  show();
  const follower = await followTruth(broker, shown.tenantId, view.stored.seq + 1, {
    onTruth: (stored) => {
      view.stored = stored;
      show();
    },
    onMark: ({ asOfMs }) => {
      view.asOfMs = asOfMs;
      if (!view.isFresh(Date.now()) || !shown.fresh) show();
    },
  });
  void tellBreaks(broker, (line) => {
    if (screen) {
      changes.push(line);
      show();
    } else if (!json) printLine(line);
  });
  const timer = setInterval(show, LOOK_AGAIN_MS);
  const giveUp = Promise.withResolvers<'timeout'>();
  const deadline = timeout === undefined ? null : setTimeout(() => giveUp.resolve('timeout'), timeout * 1000);
  const ended = await Promise.race([
    untilInterrupted().then(() => 'interrupted' as const),
    reached.promise,
    giveUp.promise,
    follower.done.then(() => 'interrupted' as const),
  ]);
  clearInterval(timer);
  if (deadline) clearTimeout(deadline);
  screen?.leave(draw(shown, Date.now()), changes);
  await follower.close();
  if (until && ended !== 'reached') {
    throw new Failure(
      ended === 'timeout' ? 'failed' : 'interrupted',
      ended === 'timeout'
        ? `\`${shown.tenantId}\` did not get there within ${timeout} s: see above what it waits for`
        : `stopped waiting for \`${shown.tenantId}\``,
    );
  }
}

/** A server that is away for a moment is waited for; what is shown meanwhile grows old and says so. */
async function tellBreaks(broker: Broker, tell: (line: string) => void): Promise<void> {
  for await (const { type } of broker.nc.status()) {
    const nowMs = Date.now();
    if (type === 'disconnect') tell(`${clockOf(nowMs)}  nats-server is away, waiting for it`);
    else if (type === 'reconnect') tell(`${clockOf(nowMs)}  nats-server is back`);
  }
}
