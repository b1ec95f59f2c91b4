import { ledgerMarked } from '@orchestrate/contracts';
import type { Broker, PartitionedService } from '@orchestrate/messaging';
import { offboardedSubjects, type PolicyInForce } from '@orchestrate/service-kit';
import { DeskPool } from './desk-pool.ts';
import { GovernancePartition } from './governance-partition.ts';
import { HoldTurns } from './hold-turns.ts';
import { SuppressionList } from './suppression-list.ts';

/** What governance reads and writes of a partition, and what the partitions of this process share. */
export function governanceService(
  broker: Broker,
  options: {
    readonly name: string;
    readonly markEveryMs: number;
    readonly policy: PolicyInForce;
    readonly pool?: DeskPool;
  },
): PartitionedService {
  const { name, markEveryMs, policy, pool = new DeskPool() } = options;
  const shared = {
    policy,
    pool,
    turns: new HoldTurns(),
    suppressions: new SuppressionList(broker),
  };
  return {
    name,
    output: 'LEDGER',
    mark: ledgerMarked,
    markEveryMs,
    inputs: [
      { stream: 'CONFIG', filters: (p) => [`config.${p}.*.tenant`, offboardedSubjects(p)] },
      { stream: 'TRUTH', filters: (p) => [`truth.${p}`, `truth.${p}.*`] },
      { stream: 'OPERATOR', filters: (p) => [`operator.${p}.*.*`] },
      { stream: 'OUTCOMES', filters: (p) => [`outcome.${p}.*.*`] },
      { stream: 'REQUESTS', filters: (p) => [`dispatch.${p}.*.*`] },
    ],
    open: (partition, mark) => GovernancePartition.open(partition, mark, shared),
  };
}
