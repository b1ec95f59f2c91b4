import { partitionOf } from '@orchestrate/canon';
import { tenantOffboarded } from '@orchestrate/contracts';
import {
  type Broker,
  checkAddress,
  decodeStrict,
  readNewest,
  type StoredMessage,
} from '@orchestrate/messaging';

/** Which messages of a partition say that a tenant left. */
export const offboardedSubjects = (p: number | '*'): string => `config.${p}.*.offboarded`;

export const isOffboarding = ({ subject }: Pick<StoredMessage, 'subject'>): boolean =>
  subject.endsWith('.offboarded');

/** The tenants of a partition that left: read before anything else of it, so that nothing brings them back. */
export async function readOffboarded(broker: Broker, p: number): Promise<string[]> {
  const tenants: string[] = [];
  const range = { stream: 'CONFIG', filters: [offboardedSubjects(p)] } as const;
  const subjectOf = ({ tenantId }: { tenantId: string }) => `config.${p}.${tenantId}.offboarded`;
  for await (const { message } of readNewest(broker, range, tenantOffboarded, subjectOf)) {
    tenants.push(message.tenantId);
  }
  return tenants;
}

/** Who left. Throws ContractViolation, also when the message speaks for another tenant than its subject. */
export function offboardedIn(input: StoredMessage): string {
  const { tenantId } = decodeStrict(tenantOffboarded, input.data);
  checkAddress(tenantOffboarded, input, `config.${partitionOf(tenantId)}.${tenantId}.offboarded`);
  return tenantId;
}
