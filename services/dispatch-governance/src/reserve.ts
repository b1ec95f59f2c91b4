import type { Policy, Reservation } from '@orchestrate/canon';
import type { DispatchRequested, TenantConfig } from '@orchestrate/contracts';
import { type TenantLedger, utcDayOf } from './tenant-ledger.ts';

const DAY_MS = 86_400_000;

/**
 * What could be reserved for this send now: a slot of the mailbox's day by UTC, the minimum gap, the exploration
 * budget. Only read here; it is taken when the decision that names it is durable.
 */
export function reservationFor(
  ledger: TenantLedger,
  config: TenantConfig | undefined,
  action: DispatchRequested['action'] & { readonly domain: string },
  policy: Policy,
  nowMs: number,
): Reservation {
  const day = utcDayOf(nowMs);
  const midnightMs = Date.parse(`${day}T00:00:00Z`) + DAY_MS;
  const capOf = (mailbox: string): number =>
    config?.mailboxes.find((one) => one.id === mailbox)?.capPerDay ?? policy.pacing.capPerMailboxDay;
  const leftOf = (mailbox: string): number =>
    capOf(mailbox) === 0 ? 0 : Math.max(0, 1 - ledger.usedOn(mailbox, day) / capOf(mailbox));
  const usedToday = ledger.usedOn(action.mailbox, day);
  const dueMs = (ledger.mailboxes.get(action.mailbox)?.lastNotBeforeMs ?? 0) + policy.pacing.minGapSec * 1000;
  const slot = usedToday >= capOf(action.mailbox) ? 'cap_reached' : dueMs > nowMs ? 'gap' : 'free';
  const { explorationPerMailboxDay, explorationPerDomainDay } = policy.dispatch;
  const budgetLeft =
    usedToday < explorationPerMailboxDay && ledger.exploredOn(action.domain, day) < explorationPerDomainDay;
  const mailboxes = eligibleMailboxes(config, action.campaign);
  return {
    slot,
    nextSlotAtMs: slot === 'gap' ? dueMs : slot === 'cap_reached' || !budgetLeft ? midnightMs : null,
    usedToday,
    budget: budgetLeft ? 'available' : 'spent',
    budgetIds: [`mailbox:${action.mailbox}`, `domain:${action.domain}`],
    headroom: {
      own: leftOf(action.mailbox),
      best: Math.max(0, ...mailboxes.map(leftOf)),
      mailboxes: mailboxes.length,
    },
  };
}

function eligibleMailboxes(config: TenantConfig | undefined, campaign: string): readonly string[] {
  const named = config?.campaigns.find((one) => one.id === campaign)?.mailboxes ?? [];
  return named.filter((id) => config?.mailboxes.some((one) => one.id === id && one.enabled));
}
