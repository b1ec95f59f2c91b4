import { layerMarked } from '@orchestrate/contracts';
import type { PartitionedService } from '@orchestrate/messaging';
import { offboardedSubjects, type PolicyInForce } from '@orchestrate/service-kit';
import { LayerPartition } from './layer-partition.ts';

export interface LayerServiceOptions {
  readonly name: string;
  readonly markEveryMs: number;
  readonly policy: PolicyInForce;
  /** Hears of each partition that is taken. */
  readonly opened?: (partition: LayerPartition) => void;
}

/** Nine machines per tenant, one writer per partition. */
export function layerService({ name, markEveryMs, policy, opened }: LayerServiceOptions): PartitionedService {
  return {
    name,
    output: 'LAYERS',
    mark: layerMarked,
    markEveryMs,
    inputs: [
      { stream: 'CONFIG', filters: (p) => [`config.${p}.*.tenant`, offboardedSubjects(p)] },
      { stream: 'EVIDENCE', filters: (p) => [`evidence.${p}`, `evidence.${p}.*.*.*`] },
      { stream: 'OPERATOR', filters: (p) => [`operator.${p}.*.*`] },
    ],
    async open(context) {
      const partition = await LayerPartition.open(context, policy);
      opened?.(partition);
      return partition;
    },
  };
}
