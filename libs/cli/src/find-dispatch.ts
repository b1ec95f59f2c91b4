import { isDecision, NotThere, readRequested, type StoredRecord } from '@orchestrate/client';
import type { DecisionRecorded } from '@orchestrate/contracts';
import type { Broker } from '@orchestrate/messaging';
import { Failure } from './failure.ts';
import { tenantNamed } from './only-one.ts';

const SHOWN_MAX = 5;

/** The id of the one decided dispatch that begins like that. Throws NotThere, or says that several do. */
export async function findDispatch(
  broker: Broker,
  tenantId: string,
  written: string,
  chain: readonly StoredRecord[],
): Promise<string> {
  const decided = new Set(
    chain.flatMap(({ record }) => (isDecision(record.kind) ? [(record as DecisionRecorded).dispatchId] : [])),
  );
  if (decided.has(written)) return written;
  const [found, ...others] = [...decided].filter((id) => id.startsWith(written));
  if (found !== undefined && others.length === 0) return found;
  if (found !== undefined) {
    const shown = [found, ...others].slice(0, SHOWN_MAX).join(', ');
    const more = others.length + 1 > SHOWN_MAX ? ` and ${others.length + 1 - SHOWN_MAX} more` : '';
    throw new Failure(
      'usage',
      `\`${written}\` is the beginning of several dispatches, give more of it: ${shown}${more}`,
    );
  }
  await tenantNamed(broker, tenantId);
  const asked = [...(await readRequested(broker, tenantId))].filter((id) => id.startsWith(written));
  if (asked.length > 0) {
    throw new Failure(
      'failed',
      `\`${written}\` is asked for and not decided yet: see whether dispatch-governance is up with \`orchestrate status\``,
    );
  }
  throw new NotThere(
    `\`${tenantId}\` has no dispatch \`${written}\`: \`orchestrate decisions ${tenantId}\` lists the newest`,
  );
}
