import { digestOfBytes, dispatches } from '@orchestrate/canon';
import { type ChainRecord, type DecisionRecorded, GENESIS_HASH } from '@orchestrate/contracts';
import { parsed, type StoreContents } from '../store-contents.ts';
import { type Violation, violation } from './violation.ts';

export interface Link {
  readonly seq: number;
  readonly record: ChainRecord;
  readonly data: Uint8Array;
}

export type Chains = ReadonlyMap<string, readonly Link[]>;

/** The records of each tenant, oldest first. */
export function chainsIn(contents: StoreContents): Chains {
  const links = contents.DECISIONS.flatMap((kept) => {
    const record = parsed<ChainRecord>(kept);
    return record ? [{ seq: kept.seq, record, data: kept.data, tenantId: kept.subject.split('.')[2]! }] : [];
  });
  return Map.groupBy(links, ({ tenantId }) => tenantId);
}

export const isDecision = (record: ChainRecord): record is DecisionRecorded =>
  record.kind !== 'OUTCOME' && record.kind !== 'INTERVENTION' && record.kind !== 'APPROVAL';

export const isFinal = ({ kind }: DecisionRecorded): boolean => kind === 'BLOCK' || dispatches(kind);

export const decisionsOf = (chain: readonly Link[]): DecisionRecorded[] =>
  chain.map(({ record }) => record).filter(isDecision);

/** Each record names the one before it by ordinal, sequence and the hash of its bytes. */
export function checkLinks(chains: Chains): Violation[] {
  return [...chains].flatMap(([tenantId, chain]) =>
    chain.flatMap(({ seq, record }, at) => {
      const before = chain[at - 1];
      const problem = brokenPart(record, {
        ordinal: at + 1,
        prevSeq: before?.seq ?? 0,
        prevHash: before ? digestOfBytes(before.data) : GENESIS_HASH,
      });
      return problem ? [violation('broken_link', `DECISIONS/${seq}`, `${tenantId}: ${problem}`)] : [];
    }),
  );
}

function brokenPart(
  record: ChainRecord,
  wanted: Pick<ChainRecord, 'ordinal' | 'prevSeq'> & { readonly prevHash: string },
): string | null {
  const parts = ['ordinal', 'prevSeq', 'prevHash'] as const;
  const part = parts.find((name) => record[name] !== wanted[name]);
  return part ? `${part} is ${record[part]}, not ${wanted[part]}` : null;
}

/** What a tenant asked for, commanded and reported is worked off in the order in which it was stored. */
export function checkOrder(chains: Chains): Violation[] {
  return [...chains].flatMap(([tenantId, chain]) => {
    const decisions = chain.flatMap(({ seq, record }) =>
      isDecision(record) && record.attempt === 1 ? [{ seq, input: record.requestSeq }] : [],
    );
    const commands = chain.flatMap(({ seq, record }) =>
      record.kind === 'INTERVENTION' || record.kind === 'APPROVAL' ? [{ seq, input: record.commandSeq }] : [],
    );
    const outcomes = chain.flatMap(({ seq, record }) =>
      record.kind === 'OUTCOME' ? [{ seq, input: record.outcomeSeq }] : [],
    );
    return [decisions, commands, outcomes].flatMap((records) =>
      records.flatMap(({ seq, input }, at) => {
        const before = records[at - 1]?.input ?? 0;
        if (input > before) return [];
        return [violation('went_back', `DECISIONS/${seq}`, `${tenantId}: input ${input} after ${before}`)];
      }),
    );
  });
}
