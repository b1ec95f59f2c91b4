import { hash, randomUUID } from 'node:crypto';
import { type DispatchRequested, dispatchRequested, VERSION } from '@orchestrate/contracts';
import { encode } from '@orchestrate/messaging';
import { TEMPLATE_DIGEST } from '@orchestrate/test-kit';
import type { Prepared } from './tenant-facts.ts';

export interface RequestMessage extends Prepared {
  readonly tenantId: string;
  readonly dispatchId: string;
}

/** Requests of tenants in turn, each for a recipient of its own, so that nothing but the request is in the way. */
export class Requests {
  readonly #tenants: readonly string[];
  #next = 0;

  constructor(tenants: readonly string[]) {
    this.#tenants = tenants;
  }

  take(count: number): readonly RequestMessage[] {
    return Array.from({ length: count }, () => this.one());
  }

  one(tenantId = this.#tenants[this.#next % this.#tenants.length]!): RequestMessage {
    const n = this.#next++;
    const dispatchId = `d-${n}`;
    const message: DispatchRequested = {
      v: VERSION,
      id: randomUUID(),
      tenantId,
      causedBy: null,
      dispatchId,
      requestedBy: 'bench',
      requestedAtMs: Date.now(),
      action: {
        campaign: 'spring',
        step: 1,
        mailbox: 'anna',
        domain: 'main',
        importSource: 'list',
        recipientKey: hash('sha256', dispatchId),
        recipientVerified: true,
        prospect: 'verified_import',
        conversation: 'none',
        templateDigest: TEMPLATE_DIGEST,
      },
    };
    const subject = dispatchRequested.subject({ tenantId, dispatchId });
    return { tenantId, dispatchId, subject, data: encode(dispatchRequested, message) };
  }
}
