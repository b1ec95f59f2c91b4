import { factOf } from '../probe/fact-of.ts';
import type { EvidencePublisher } from '../publish-evidence.ts';
import type { MessageProof } from './verify-message.ts';

interface Proven {
  readonly tenantId: string;
  /** The domain by its id. */
  readonly source: string;
  /** The declaration by which it was looked at. */
  readonly causedBy: string;
  readonly atMs: number;
}

/** Publishes what a message proved. Rejects when it could not be stored. */
export async function tellProof(
  evidence: EvidencePublisher,
  { atMs, ...of }: Proven,
  { answers }: Extract<MessageProof, { kind: 'proof' }>,
): Promise<void> {
  const facts = answers.map((answer) => factOf(answer, atMs));
  const observation = { ...of, layer: 'sending_domain' as const, observer: 'seed-probe', facts };
  if (!(await evidence.observed(observation))) throw new Error('the proof is not stored');
}
