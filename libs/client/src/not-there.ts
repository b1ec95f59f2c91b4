import { hint } from './nearest-word.ts';

/** What was named does not exist: a tenant, a campaign, an import, a dispatch. */
export class NotThere extends Error {
  readonly code = 'not_there';
}

export const noTenant = (tenantId: string): NotThere =>
  new NotThere(`there is no tenant \`${tenantId}\`: apply its tenant file first`);

/** Names what the tenant has instead, and the one that was probably meant. */
export function notAmong(sentence: string, written: string, known: readonly string[]): NotThere {
  const near = hint(written, known);
  return new NotThere(`${sentence}${near || `: there are ${known.join(', ') || 'none'}`}`);
}
