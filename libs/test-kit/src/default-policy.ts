import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Policy, policySchema } from '@orchestrate/canon';

const FILE = join(import.meta.dirname, '../../../policies/default.json');

/** The policy that a platform starts with. */
export const defaultPolicy = (): Policy => policySchema.parse(JSON.parse(readFileSync(FILE, 'utf8')));
