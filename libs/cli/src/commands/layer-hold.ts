import { setTimeout as sleep } from 'node:timers/promises';
import { CANONICAL_BLOCKER_LAYERS, type CanonicalBlockerLayer } from '@orchestrate/canon';
import { NotThere, notAmong } from '@orchestrate/client';
import { INTERVENTION_REASONS } from '@orchestrate/contracts';
import type { Broker } from '@orchestrate/messaging';
import { Argument, Command, Option } from 'commander';
import { actorOption, idArgument, withExample } from '../arguments.ts';
import { commandAndAwaitRecord } from '../command-record.ts';
import { globalOptions, withBroker } from '../connect.ts';
import { OUTPUTS } from '../outputs.ts';
import { printJson, printLine } from '../print.ts';
import { TenantView } from '../views/tenant-view.ts';
import { recordOf } from './freeze.ts';

const SHOWN_MS_MAX = 5_000;
const LOOK_MS = 50;
/** The cause of a hold that a person sets for no other one. */
const BY_PERSON = 'operator_hold';

interface HoldOptions {
  readonly cause?: string;
  readonly actor: string;
  readonly reason: (typeof INTERVENTION_REASONS)[number];
}

interface Target {
  readonly layer: CanonicalBlockerLayer;
  readonly source: string;
  readonly cause: string;
}

export function holdCommand(): Command {
  const command = define('hold', 'incident').description(
    'hold one layer of a tenant for a person to look at: it shows operator_review until that cause is released',
  );
  return withExample(command, 'hold aurora mailbox ada', 'hold aurora data --reason abuse_suspected');
}

export function releaseCommand(): Command {
  const command = define('release', 'reviewed').description(
    'release a layer that waits for a person: what it rests on is observed again before it counts',
  );
  return withExample(
    command,
    'release aurora mailbox ada',
    'release aurora campaign spring --cause digest_drift',
  );
}

function define(name: 'hold' | 'release', reason: HoldOptions['reason']): Command {
  return new Command(name)
    .argument('<tenant>', 'its id', idArgument)
    .addArgument(new Argument('<layer>', 'one of the nine').choices(CANONICAL_BLOCKER_LAYERS))
    .argument(
      '[source]',
      'a domain, mailbox, campaign or import; default: the only one of the layer',
      idArgument,
    )
    .option('--cause <cause>', 'of the hold: default, the only one that stands, or one of your own')
    .addOption(new Option('--reason <code>', 'why').choices(INTERVENTION_REASONS).default(reason))
    .addOption(actorOption())
    .action(
      (
        tenantId: string,
        layer: CanonicalBlockerLayer,
        source: string | undefined,
        options: HoldOptions,
        self: Command,
      ) => act(name, { tenantId, layer, source }, options, self),
    );
}

async function act(
  name: 'hold' | 'release',
  named: { tenantId: string; layer: CanonicalBlockerLayer; source: string | undefined },
  { cause, actor, reason }: HoldOptions,
  command: Command,
): Promise<void> {
  const { tenantId } = named;
  await withBroker(command, async (broker) => {
    const { layer, source, holds } = sourceOf(await TenantView.read(broker, tenantId), named);
    const target: Target = {
      layer,
      source,
      cause: name === 'hold' ? (cause ?? BY_PERSON) : causeToRelease(`${layer}/${source}`, holds, cause),
    };
    const found = await commandAndAwaitRecord(broker, {
      tenantId,
      command: name === 'hold' ? 'hold_layer' : 'release_layer',
      actor,
      reasonCode: reason,
      target,
    });
    await untilShown(broker, tenantId, target, name === 'hold');
    if (globalOptions(command).json) {
      const told = name === 'hold' ? 'hold_layer' : 'release_layer';
      printJson(OUTPUTS[name], { tenantId, command: told, ...recordOf(found), target });
    } else printLine(sentence(name, tenantId, target, found.record.ordinal));
  });
}

function sourceOf(
  view: TenantView,
  { tenantId, layer, source }: { tenantId: string; layer: CanonicalBlockerLayer; source: string | undefined },
) {
  const { sources } = view.stored.truth.layers[layer];
  const known = sources.map((one) => one.source);
  const found =
    source === undefined && sources.length === 1 ? sources[0] : sources.find((one) => one.source === source);
  if (found) return { layer, source: found.source, holds: Object.keys(found.causes.holds) };
  throw source === undefined
    ? new NotThere(`name the source: ${layer} of \`${tenantId}\` has ${known.join(', ') || 'none'}`)
    : notAmong(`${layer} of \`${tenantId}\` has no source \`${source}\``, source, known);
}

/** The record is what counts; the layer follows it in a moment, and then the next look shows it. */
async function untilShown(broker: Broker, tenantId: string, target: Target, isHeld: boolean): Promise<void> {
  const deadline = Date.now() + SHOWN_MS_MAX;
  while (Date.now() < deadline) {
    const { holds } = sourceOf(await TenantView.read(broker, tenantId), { tenantId, ...target });
    if (holds.includes(target.cause) === isHeld) return;
    await sleep(LOOK_MS);
  }
}

function causeToRelease(at: string, holds: readonly string[], named: string | undefined): string {
  const [only] = holds;
  if (named !== undefined && holds.includes(named)) return named;
  if (named !== undefined) throw notAmong(`${at} is not held by \`${named}\``, named, holds);
  if (only !== undefined && holds.length === 1) return only;
  throw new NotThere(
    holds.length === 0
      ? `${at} is not held by anybody`
      : `name the cause with --cause: ${at} is held by ${holds.join(', ')}`,
  );
}

function sentence(
  name: 'hold' | 'release',
  tenantId: string,
  { layer, source, cause }: Target,
  ordinal: number,
): string {
  const at = `${layer}/${source} of ${tenantId}`;
  return name === 'hold'
    ? `${at} is held by ${cause} (record ${ordinal}): nothing that needs it is released until \`orchestrate release ${tenantId} ${layer} ${source}\``
    : `${at} is released from ${cause} (record ${ordinal}): it is checked again first`;
}
