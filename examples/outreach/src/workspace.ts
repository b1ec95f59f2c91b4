import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  CANONICAL_BLOCKER_LAYERS,
  DISPATCH_DECISIONS,
  GOVERNANCE_MODES,
  MANAGED_EXECUTION_STATES,
} from '@orchestrate/canon';
import { parse } from 'yaml';
import { z } from 'zod';

const path = (relative: string): string => fileURLToPath(new URL(`../${relative}`, import.meta.url));

const decision = z.enum(DISPATCH_DECISIONS);
const expectationsSchema = z.strictObject({
  /** Zones whose server keeps silent: all that a resolver sees of them is a timeout. */
  dns: z.strictObject({ silent: z.array(z.string()) }),
  campaign: z.string(),
  step: z.number().int(),
  importSource: z.string(),
  tenants: z.record(
    z.string(),
    z.strictObject({
      maySend: z.boolean(),
      mustContain: z.array(decision),
      mustNotContain: z.array(decision),
      mode: z.enum(GOVERNANCE_MODES),
      /** Layers that must be in another state than `ready`. */
      layers: z.partialRecord(z.enum(CANONICAL_BLOCKER_LAYERS), z.enum(MANAGED_EXECUTION_STATES)),
    }),
  ),
});
export type Expectations = z.infer<typeof expectationsSchema>;
export type Expectation = Expectations['tenants'][string];

/** What must come out of the example, tenant by tenant. */
export function readExpectations(): Expectations {
  return expectationsSchema.parse(parse(readFileSync(path('expectations.yaml'), 'utf8')));
}

export const files = {
  tenant: (id: string) => path(`tenants/${id}.yaml`),
  evidence: (id: string) => path(`evidence/${id}.yaml`),
  leads: (id: string) => path(`leads/${id}.csv`),
  suppressions: (id: string) => path(`suppressions/${id}.csv`),
  zones: () =>
    readdirSync(path('zones'))
      .filter((name) => name.endsWith('.zone'))
      .map((name) => path(`zones/${name}`)),
};
