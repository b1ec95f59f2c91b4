import { CANONICAL_BLOCKER_LAYERS, type CanonicalRuntimeTruth } from '@orchestrate/canon';
import type { Books } from '@orchestrate/client';
import type { Expectation } from './workspace.ts';

/** Whether a tenant's truth is the one that its condition leads to. */
export function stateProblems(
  tenantId: string,
  expected: Expectation,
  truth: CanonicalRuntimeTruth | undefined,
): string[] {
  if (!truth) return [`${tenantId}: there is no truth`];
  const wrong = CANONICAL_BLOCKER_LAYERS.flatMap((layer) => {
    const found = truth.layers[layer].state;
    const state = expected.layers[layer] ?? 'ready';
    return found === state ? [] : [`${tenantId}: ${layer} is ${found}, not ${state}`];
  });
  if (truth.mode.resolved !== expected.mode) {
    wrong.push(`${tenantId}: the mode is ${truth.mode.resolved}, not ${expected.mode}`);
  }
  return wrong;
}

/** Whether a tenant's books balance and say what its condition must lead to. */
export function bookProblems(expected: Expectation, books: Books, mails: number, killed: boolean): string[] {
  const { tenantId, decisions, requests, effectiveDecisions, released, sent, notSent, unknown, open } = books;
  const problems: string[] = [];
  const must = (holds: boolean, what: string) => {
    if (!holds) problems.push(`${tenantId}: ${what}`);
  };
  for (const [mismatch, count] of Object.entries(books.mismatches))
    must(count === 0, `${count} x ${mismatch}`);
  must(requests > 0, 'nothing was asked for');
  must(requests === effectiveDecisions, `${requests} requests, ${effectiveDecisions} effective decisions`);
  must(
    released === sent + notSent + unknown,
    `${released} released, ${sent} sent, ${notSent} not sent, ${unknown} unknown, ${open} open`,
  );
  must(notSent === 0 || killed, `${notSent} not sent although the mail server takes everything`);
  if (killed) {
    must(mails >= sent && mails <= sent + unknown, `${mails} mails for ${sent} sent and ${unknown} unknown`);
  } else {
    must(unknown === 0, `${unknown} unknown although nothing was killed`);
    must(mails === sent, `${mails} mails for ${sent} sent`);
  }
  must(expected.maySend || mails === 0, `${mails} mails although it must not send`);
  must(!expected.maySend || mails > 0, 'no mail although it may send');
  for (const kind of expected.mustContain) must(decisions[kind] > 0, `no ${kind}`);
  for (const kind of expected.mustNotContain) must(decisions[kind] === 0, `${decisions[kind]} x ${kind}`);
  return problems;
}
