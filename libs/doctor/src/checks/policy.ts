import { policyDigestOf } from '@orchestrate/canon';
import { readPolicyFile } from '@orchestrate/client';
import type { Broker } from '@orchestrate/messaging';
import { type PolicyAndDigest, readPolicyInForce } from '@orchestrate/service-kit';
import { fail, type Judgement, ok } from '../finding.ts';

export function judgePolicy(inForce: PolicyAndDigest | null, shippedDigest: string): Judgement {
  if (!inForce) {
    return fail(
      'no policy is in force: services wait for one',
      'run `orchestrate provision`, which puts the shipped one in force, or one of your own with --policy <file>',
    );
  }
  const { policy, digest } = inForce;
  const isShipped = digest === shippedDigest;
  return ok(
    `\`${policy.name}\` is in force (${digest.slice(0, 12)}), ${isShipped ? 'as shipped' : 'not the shipped one'}`,
    { name: policy.name, digest, isShipped },
  );
}

export async function checkPolicy(broker: Broker): Promise<Judgement> {
  return judgePolicy(await readPolicyInForce(broker), policyDigestOf(readPolicyFile()));
}
