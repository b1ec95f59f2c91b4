import type { Policy } from '@orchestrate/canon';
import { checkCaps } from './checks/caps.ts';
import { chainsIn, checkLinks, checkOrder } from './checks/chains.ts';
import { checkDelivery } from './checks/delivery.ts';
import { checkCommands, checkOutcomes, checkRejections, checkRequests } from './checks/effects.ts';
import {
  checkConditionOrder,
  checkEvidence,
  checkFreezes,
  checkHolds,
  conditionsIn,
} from './checks/layers.ts';
import { checkMarks, checkSettled } from './checks/marks.ts';
import { checkEpochs, checkFingerprints, checkReflection, truthsIn } from './checks/truths.ts';
import type { Violation } from './checks/violation.ts';
import type { Operation } from './journal.ts';
import type { StoreContents } from './store-contents.ts';

/**
 * Everything that is wrong with a store in which nothing moves any more, by what was sent to it. It reads no clock and
 * no server: the same journal and the same contents have the same violations.
 */
export function check(
  operations: readonly Operation[],
  contents: StoreContents,
  policy: Policy,
): readonly Violation[] {
  const chains = chainsIn(contents);
  const conditions = conditionsIn(contents);
  const truths = truthsIn(contents);
  return [
    ...checkDelivery(operations, contents),
    ...checkRequests(contents, chains),
    ...checkCommands(contents, chains),
    ...checkOutcomes(contents, chains),
    ...checkRejections(operations, contents),
    ...checkLinks(chains),
    ...checkOrder(chains),
    ...checkCaps(contents, chains, policy),
    ...checkConditionOrder(conditions),
    ...checkEvidence(contents, conditions),
    ...checkHolds(contents, conditions),
    ...checkFreezes(contents, conditions),
    ...checkFingerprints(truths),
    ...checkEpochs(truths),
    ...checkReflection(contents, conditions, truths),
    ...checkMarks(contents),
    ...checkSettled(contents),
  ];
}
