import { partitionOf, type Reason } from '@orchestrate/canon';
import { type OperatorCommanded, operatorCommanded, type TenantConfig } from '@orchestrate/contracts';
import type { LayerEvent, LayerSource } from '@orchestrate/layer-machines';
import {
  type Broker,
  checkAddress,
  decodeStrict,
  newestFitting,
  readLast,
  rejectInput,
  type StoredMessage,
  untilAnswered,
} from '@orchestrate/messaging';
import type { HeldSource } from './held-source.ts';
import type { LayerPartition } from './layer-partition.ts';
import { assertDeclared } from './tenant-sources.ts';

const ALL = '_all';
/** So many tenants are told at once. */
const AT_ONCE = 64;
/** A cause of its own: ending the freeze of everything leaves a tenant's own freeze as it is, and the other way. */
export const FREEZE_ALL: Reason = 'freeze_all';

/** A person acted on a layer. What concerns single dispatches is governance's business, not a layer's. */
export async function handleOperatorCommand(partition: LayerPartition, input: StoredMessage): Promise<void> {
  const command = decodeStrict(operatorCommanded, input.data);
  const p = command.tenantId === ALL ? partition.context.p : partitionOf(command.tenantId);
  checkAddress(
    operatorCommanded,
    input,
    operatorCommanded.subject({ p, tenantId: command.tenantId, command: command.command }),
  );
  if (partition.store.hasLeft(command.tenantId)) return;
  if (command.tenantId === ALL) return obeyForAll(partition, command, input);
  if (command.target && !addressee(partition, command.tenantId, command)) {
    return refuse(partition, input, command);
  }
  if (!(await obey(partition, command.tenantId, command, input))) return refuse(partition, input, command);
}

/** A freeze of everything is for tenants that come later too, and so is its end. */
async function obeyForAll(
  partition: LayerPartition,
  command: OperatorCommanded,
  input: StoredMessage,
): Promise<void> {
  const isFreeze = command.command === 'freeze';
  // Whatever else is meant for a layer names one of a tenant.
  if (!isFreeze && command.command !== 'unfreeze') {
    return command.target ? refuse(partition, input, command) : undefined;
  }
  // Read again after a take-over, and overtaken: the newer word comes after it and is for everybody.
  if (!partition.hear({ seq: input.seq, isFreeze })) return;
  const { store, context } = partition;
  const tenants = await untilAnswered(() => store.declared(), context.closed);
  for (let done = 0; done < tenants.length; done += AT_ONCE) {
    const some = tenants.slice(done, done + AT_ONCE);
    const obeyed = await Promise.all(some.map((tenantId) => obey(partition, tenantId, command, input)));
    if (obeyed.includes(false)) return refuse(partition, input, command);
  }
}

/** False when the source takes no such command. */
async function obey(
  partition: LayerPartition,
  tenantId: string,
  command: OperatorCommanded,
  input: StoredMessage,
): Promise<boolean> {
  if (partition.store.hasLeft(tenantId)) return true;
  const held = addressee(partition, tenantId, command);
  if (!held) return true;
  const config = await partition.store.configOf(tenantId);
  const loaded = await partition.load(held);
  if (loaded.isReplay(input)) return true;
  const next = act(partition, loaded.source, config, command, input.storedAtMs);
  if (next) partition.save(held, next, input, input.storedAtMs);
  return next !== null;
}

/** The last word on a whole partition: whether everything in it is frozen, tenants that come later included. */
export interface FreezeWord {
  /** Sequence in OPERATOR, 0 when nobody ever said anything. */
  readonly seq: number;
  readonly isFreeze: boolean;
}

export async function readFreezeWord(broker: Broker, p: number): Promise<FreezeWord> {
  const subjectOf = ({ command }: Pick<OperatorCommanded, 'command'>) =>
    operatorCommanded.subject({ p, tenantId: ALL, command });
  const last = async (command: 'freeze' | 'unfreeze') => {
    const head = await readLast(broker, 'OPERATOR', subjectOf({ command }));
    // What was rejected when it was an input is no word.
    return (head && (await newestFitting(broker, head, operatorCommanded, subjectOf)))?.stored.seq ?? 0;
  };
  const [frozen, unfrozen] = await Promise.all([last('freeze'), last('unfreeze')]);
  return { seq: Math.max(frozen, unfrozen), isFreeze: frozen > unfrozen };
}

function addressee(
  partition: LayerPartition,
  tenantId: string,
  command: OperatorCommanded,
): HeldSource | undefined {
  switch (command.command) {
    case 'freeze':
    case 'unfreeze':
      return partition.store.findOrCreate(tenantId, 'governance', 'main');
    case 'hold_layer':
    case 'release_layer':
      return command.target
        ? partition.store.find(tenantId, command.target.layer, command.target.source)
        : undefined;
    default:
      return undefined;
  }
}

function act(
  partition: LayerPartition,
  source: LayerSource,
  config: TenantConfig | null,
  command: OperatorCommanded,
  atMs: number,
): LayerSource | null {
  const policy = partition.now;
  const observeFreeze = (value: boolean) =>
    source.observe([{ fact: 'freeze', observedAtMs: atMs, outcome: { value } }], policy, atMs);
  switch (command.command) {
    case 'freeze':
      return command.tenantId === ALL
        ? source.receive({ type: 'operator_hold', atMs, cause: FREEZE_ALL }, policy)
        : observeFreeze(true);
    case 'unfreeze':
      return command.tenantId === ALL
        ? released(partition, source, config, FREEZE_ALL, atMs)
        : released(partition, observeFreeze(false), config, 'freeze', atMs);
    case 'hold_layer':
      return source.receive({ type: 'operator_hold', atMs, cause: command.target!.cause }, policy);
    case 'release_layer':
      return released(partition, source, config, command.target!.cause, atMs);
    default:
      return source;
  }
}

/** After a release only what is observed from then on counts; what we fold ourselves answers at once. */
function released(
  partition: LayerPartition,
  source: LayerSource,
  config: TenantConfig | null,
  cause: string,
  atMs: number,
): LayerSource | null {
  const event: LayerEvent = { type: 'operator_released', atMs, cause };
  const next = source.receive(event, partition.now);
  if (!next || !config) return next;
  return assertDeclared(next.refreshFolded(partition.now, atMs), config, partition.now, atMs);
}

async function refuse(
  partition: LayerPartition,
  input: StoredMessage,
  command: OperatorCommanded,
): Promise<void> {
  const { broker, service } = partition.context;
  const { layer, source } = command.target ?? { layer: 'governance', source: 'main' };
  const problem = new Error(`${command.tenantId} has no ${layer}/${source} that takes ${command.command}`);
  await rejectInput(broker, service, input, 'refused_by_layer', problem);
}
