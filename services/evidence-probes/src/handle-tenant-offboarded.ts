import { type Broker, ContractViolation, rejectInput, type StoredMessage } from '@orchestrate/messaging';
import { offboardedIn } from '@orchestrate/service-kit';

/** Who left; null when the message breaks its contract, and then it is in REJECTED. */
export async function handleTenantOffboarded(
  broker: Broker,
  service: string,
  message: StoredMessage,
): Promise<string | null> {
  try {
    return offboardedIn(message);
  } catch (error) {
    if (!(error instanceof ContractViolation)) throw error;
    await rejectInput(broker, service, message, 'contract_violation', error);
    return null;
  }
}
