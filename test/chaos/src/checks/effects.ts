import { dispatches } from '@orchestrate/canon';
import type {
  ChainRecord,
  DecisionRecorded,
  DispatchRequested,
  InputRejected,
  OperatorCommanded,
  OutcomeReported,
  TenantConfig,
} from '@orchestrate/contracts';
import type { Operation } from '../journal.ts';
import { type Kept, parsed, type StoreContents } from '../store-contents.ts';
import { type Chains, decisionsOf, isFinal } from './chains.ts';
import { type Violation, violation } from './violation.ts';

/** Records of a command for everybody are owed by tenants that were declared this long before it. */
const DECLARED_BEFORE_MS = 2_000;

/** Every request has one decision in effect, and no dispatch is let out twice. */
export function checkRequests(contents: StoreContents, chains: Chains): Violation[] {
  const found: Violation[] = [];
  const requested = new Map<string, number>();
  for (const kept of contents.REQUESTS) {
    const request = parsed<DispatchRequested>(kept);
    if (request) requested.set(`${request.tenantId}/${request.dispatchId}`, kept.seq);
  }
  const decided = new Set<string>();
  for (const [tenantId, chain] of chains) {
    for (const [dispatchId, attempts] of Map.groupBy(decisionsOf(chain), (one) => one.dispatchId)) {
      const where = `${tenantId}/${dispatchId}`;
      decided.add(where);
      found.push(...checkAttempts(where, attempts));
      const seq = requested.get(where);
      if (seq === undefined) found.push(violation('unexpected', where, 'decided, and never asked for'));
      else if (attempts.some(({ requestSeq }) => requestSeq !== seq))
        found.push(violation('unexpected', where, `decided for another request than REQUESTS/${seq}`));
    }
  }
  const rejected = rejectedInputs(contents);
  for (const [where, seq] of requested) {
    if (!decided.has(where) && !rejected.has(`REQUESTS/${seq}`))
      found.push(violation('no_effect', where, `REQUESTS/${seq} has no decision`));
  }
  return found;
}

function checkAttempts(where: string, attempts: readonly DecisionRecorded[]): Violation[] {
  const found: Violation[] = [];
  const releases = attempts.filter(({ kind }) => dispatches(kind)).length;
  if (releases > 1) found.push(violation('two_releases', where, `${releases} dispatching decisions`));
  const end = attempts.findIndex(isFinal);
  if (end !== -1 && end < attempts.length - 1)
    found.push(violation('two_effects', where, 'decided again after its end'));
  if (attempts.some(({ attempt }, at) => attempt !== at + 1)) {
    const numbers = attempts.map(({ attempt }) => attempt).join(', ');
    found.push(violation('two_effects', where, `its attempts are numbered ${numbers}`));
  }
  return found;
}

/** Every command is on record once in each chain that it is for, or somebody said why not. */
export function checkCommands(contents: StoreContents, chains: Chains): Violation[] {
  const found: Violation[] = [];
  const rejected = rejectedInputs(contents);
  const declared = firstDeclared(contents.CONFIG);
  const stored = new Set<number>();
  for (const kept of contents.OPERATOR) {
    const command = parsed<OperatorCommanded>(kept);
    if (!command) continue;
    stored.add(kept.seq);
    const isForAll = command.tenantId === '_all';
    const [, p] = kept.subject.split('.');
    for (const tenantId of isForAll ? [...chains.keys()] : [command.tenantId]) {
      const declaredAt = declared.get(tenantId);
      if (isForAll && declaredAt?.p !== p) continue;
      const records = (chains.get(tenantId) ?? []).filter(({ record }) => commandOf(record) === kept.seq);
      const where = `OPERATOR/${kept.seq}`;
      if (records.length > 1)
        found.push(violation('two_effects', where, `${records.length} records of ${tenantId}`));
      const isOwed = !isForAll || declaredAt!.atMs + DECLARED_BEFORE_MS < kept.storedAtMs;
      if (records.length === 0 && isOwed && !rejected.has(where))
        found.push(violation('no_effect', where, `${command.command} is not on record of ${tenantId}`));
    }
  }
  for (const [tenantId, chain] of chains) {
    for (const { seq, record } of chain) {
      const commandSeq = commandOf(record);
      if (commandSeq !== null && !stored.has(commandSeq))
        found.push(violation('unexpected', `DECISIONS/${seq}`, `${tenantId}: nobody commanded it`));
    }
  }
  return found;
}

const commandOf = (record: ChainRecord): number | null =>
  record.kind === 'INTERVENTION' || record.kind === 'APPROVAL' ? record.commandSeq : null;

function firstDeclared(configs: readonly Kept[]): Map<string, { readonly p: string; readonly atMs: number }> {
  const declared = new Map<string, { p: string; atMs: number }>();
  for (const kept of configs) {
    const config = parsed<TenantConfig>(kept);
    const [, p] = kept.subject.split('.');
    if (config && !declared.has(config.tenantId))
      declared.set(config.tenantId, { p: p!, atMs: kept.storedAtMs });
  }
  return declared;
}

/** Every settled outcome is on record once, or somebody said why not; a claim is nobody's business but the senders'. */
export function checkOutcomes(contents: StoreContents, chains: Chains): Violation[] {
  const rejected = rejectedInputs(contents);
  return contents.OUTCOMES.flatMap((kept) => {
    const outcome = parsed<OutcomeReported>(kept);
    if (!outcome || outcome.state === 'claimed') return [];
    const chain = chains.get(outcome.tenantId) ?? [];
    const records = chain.filter(({ record }) => record.kind === 'OUTCOME' && record.outcomeSeq === kept.seq);
    const where = `OUTCOMES/${kept.seq}`;
    if (records.length > 1) return [violation('two_effects', where, `${records.length} records`)];
    if (records.length === 1 || rejected.has(where)) return [];
    return [violation('no_effect', where, `the outcome of ${outcome.dispatchId} is not on record`)];
  });
}

/** What nobody can understand is rejected; what is in order is not, but for what a person asked for in vain. */
export function checkRejections(operations: readonly Operation[], contents: StoreContents): Violation[] {
  const rejected = rejectedInputs(contents);
  const garbage = new Set<string>();
  const missing = operations.flatMap(({ kind, stream, ending }) => {
    if (kind !== 'garbage' || ending.state !== 'ok') return [];
    return rejected.has(`${stream}/${ending.seq}`)
      ? []
      : [violation('not_rejected', `${stream}/${ending.seq}`, 'nobody rejected it')];
  });
  for (const { kind, digest } of operations) if (kind === 'garbage') garbage.add(digest);
  const wrongly = [...rejected].flatMap(([where, rejections]) =>
    rejections.flatMap(({ reason, service, payloadDigest, issues }) => {
      if (garbage.has(payloadDigest) && reason === 'contract_violation') return [];
      if (where.startsWith('OPERATOR/') && isRefusal(reason)) return [];
      return [violation('rejected', where, `${service}: ${reason}: ${issues[0]?.message ?? ''}`)];
    }),
  );
  return [...missing, ...wrongly];
}

/** A command may come too late: the hold that it is about is decided, the layer has no such source. */
const isRefusal = (reason: InputRejected['reason']): boolean =>
  reason === 'refused_by_layer' || reason === 'contract_violation';

/** By `STREAM/sequence`: who rejected it, and why. */
export function rejectedInputs(contents: StoreContents): Map<string, InputRejected[]> {
  const rejections = contents.REJECTED.flatMap((kept) => parsed<InputRejected>(kept) ?? []);
  return Map.groupBy(rejections, ({ stream, seq }) => `${stream}/${seq}`);
}
