import { CANONICAL_BLOCKER_LAYERS, type CanonicalRuntimeTruth } from '@orchestrate/canon';
import {
  type Books,
  effectiveDecisions,
  type LeadImportReport,
  readChain,
  readTruth,
} from '@orchestrate/client';
import type { Broker } from '@orchestrate/messaging';
import type { SmtpServer } from '@orchestrate/sandbox';
import type { Expectation, Expectations } from './workspace.ts';

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

/** A domain that cannot be asked is held for, never failed: only the suppressed people of its list are blocked. */
export async function unknownProblems(
  broker: Broker,
  expectations: Expectations,
  imports: ReadonlyMap<string, LeadImportReport>,
): Promise<string[]> {
  const unknown = Object.entries(expectations.tenants).filter(
    ([, { layers }]) => layers.sending_domain === 'unknown',
  );
  const problems = await Promise.all(
    unknown.map(async ([tenantId, expected]) => {
      const truth = (await readTruth(broker, tenantId))?.truth;
      const records = [...effectiveDecisions(await readChain(broker, tenantId)).values()];
      const blocked = records.filter(({ kind }) => kind === 'BLOCK').length;
      const failed = records.filter(({ gates }) => gates[4]!.outcome !== 'unknown').length;
      const suppressed = imports.get(tenantId)!.suppressedLeads;
      return [
        ...stateProblems(tenantId, expected, truth),
        ...(blocked === suppressed ? [] : [`${tenantId}: ${blocked} blocked, ${suppressed} suppressed`]),
        ...(failed === 0 ? [] : [`${tenantId}: ${failed} decisions do not read its identity as unknown`]),
      ];
    }),
  );
  return problems.flat();
}

/** By the domain that a mail came from, which is the tenant's own. */
export function mailsByTenant(smtp: SmtpServer, tenants: readonly string[]): ReadonlyMap<string, number> {
  return new Map(
    tenants.map((tenantId) => [
      tenantId,
      smtp.messages.filter((message) => message.from.endsWith(`@${tenantId}.example`)).length,
    ]),
  );
}

/** A message id names one dispatch; a recipient is written to once by a tenant. */
export function doubled(smtp: SmtpServer): string[] {
  const seen = new Set<string>();
  return smtp.messages.flatMap(({ messageId, from, to }) => {
    const keys = [
      `message id ${messageId}`,
      `a recipient of ${from.split('@')[1]} (${to.length})|${from.split('@')[1]}|${to.join()}`,
    ];
    const twice = keys.filter((key) => seen.has(key));
    for (const key of keys) seen.add(key);
    return twice.map((key) => `sent twice: ${key.split('|')[0]}`);
  });
}
