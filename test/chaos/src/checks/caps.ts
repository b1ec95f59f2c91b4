import type { Policy } from '@orchestrate/canon';
import type { TenantConfig } from '@orchestrate/contracts';
import { parsed, type StoreContents } from '../store-contents.ts';
import { type Chains, decisionsOf } from './chains.ts';
import { type Violation, violation } from './violation.ts';

/** No mailbox lets out more in a day than its highest cap, and no slot or approval is used twice. */
export function checkCaps(contents: StoreContents, chains: Chains, policy: Policy): Violation[] {
  const caps = highestCaps(contents, policy);
  return [...chains].flatMap(([tenantId, chain]) => {
    const decisions = decisionsOf(chain);
    const reserved = decisions.flatMap((one) => one.reserved ?? []);
    const slots = [...Map.groupBy(reserved, ({ mailbox, day }) => `${mailbox} on ${day}`)].flatMap(
      ([when, taken]) => {
        const where = `${tenantId}: ${when}`;
        const cap = caps.get(`${tenantId}/${taken[0]!.mailbox}`) ?? policy.pacing.capPerMailboxDay;
        const over =
          taken.length > cap ? [violation('overspent', where, `${taken.length} slots of ${cap}`)] : [];
        const isCounted = taken.every(({ ordinal }, at) => ordinal === at + 1);
        return isCounted
          ? over
          : [...over, violation('overspent', where, 'its slots are not numbered one by one')];
      },
    );
    const used = decisions.flatMap(({ approvalId, reserved: slot }) =>
      slot && approvalId ? [approvalId] : [],
    );
    const twice = used.filter((id, at) => used.indexOf(id) !== at);
    return [
      ...slots,
      ...twice.map((id) => violation('overspent', `${tenantId}: ${id}`, 'approval used twice')),
    ];
  });
}

/** A cap may have been changed meanwhile: then the highest one bounds. */
function highestCaps(contents: StoreContents, policy: Policy): ReadonlyMap<string, number> {
  const caps = new Map<string, number>();
  for (const kept of contents.CONFIG) {
    const config = parsed<TenantConfig>(kept);
    for (const { id, capPerDay } of config?.mailboxes ?? []) {
      const key = `${config!.tenantId}/${id}`;
      caps.set(key, Math.max(caps.get(key) ?? 0, capPerDay ?? policy.pacing.capPerMailboxDay));
    }
  }
  return caps;
}
