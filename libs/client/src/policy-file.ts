import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Policy, policySchema } from '@orchestrate/canon';
import { unreadable } from './input-problem.ts';
import { readYaml } from './yaml-input.ts';

/** The policy that is shipped. */
export const DEFAULT_POLICY_FILE = fileURLToPath(new URL('../../../policies/default.json', import.meta.url));

/** Reads a policy document (JSON). Throws with every problem; then the policy in force stays as it is. */
export function readPolicyFile(file: string = DEFAULT_POLICY_FILE): Policy {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw unreadable(file, error);
  }
  // YAML 1.2 reads JSON as it is, and knows on which line a mistake stands.
  return readYaml(text, file, policySchema).value;
}
