import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Policy, policySchema } from '@orchestrate/canon';
import { InputFileError } from './input-problem.ts';

/** The policy that is shipped. */
export const DEFAULT_POLICY_FILE = fileURLToPath(new URL('../../../policies/default.json', import.meta.url));

/** Reads a policy document (JSON). Throws with every problem; then the policy in force stays as it is. */
export function readPolicyFile(file: string = DEFAULT_POLICY_FILE): Policy {
  let document: unknown;
  try {
    document = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Error(`cannot read the policy ${file}: ${(error as Error).message}`);
  }
  const parsed = policySchema.safeParse(document);
  if (parsed.success) return parsed.data;
  throw new InputFileError(
    parsed.error.issues.map(({ path, message }) => ({
      file,
      line: 1,
      path: path.map(String).join('.'),
      message,
    })),
  );
}
