import type { RecipientStanding } from '@orchestrate/canon';
import type { DispatchRequested } from '@orchestrate/contracts';
import {
  ContractViolation,
  type PartitionContext,
  readNext,
  rejectInput,
  type StoredMessage,
} from '@orchestrate/messaging';
import type { Asked } from './dispatch-case.ts';
import { decodeRequest } from './handle-dispatch-requested.ts';
import type { LeftOutRequests } from './left-out-requests.ts';
import { untilRead } from './load-tenant.ts';

/** Requests of one tenant that are kept; what is beyond stays in the stream until these are worked off. */
export const REQUESTS_MAX = 256;
/** Requests whose recipients are looked up before their turn, so that the look-ups of a backlog overlap. */
const LOOK_AHEAD = 16;
/** A look-up in the suppression list that is older than this is made again: people unsubscribe meanwhile. */
const SUPPRESSION_AGE_MS_MAX = 1_000;

type Suppression = RecipientStanding['suppression'];

/** A request that waits for its turn. */
export interface WaitingRequest {
  readonly input: StoredMessage;
  readonly asked: Asked;
  /** Since when we know of it. */
  readonly sinceMs: number;
  readonly suppression: () => Promise<Suppression>;
}

/** One tenant's requests in stream order: some of them here, and the rest where they are. */
export class RequestQueue {
  readonly #context: PartitionContext;
  readonly #tenantId: string;
  readonly #leftOut: LeftOutRequests;
  readonly #suppressionOf: (recipientKey: string) => Promise<Suppression>;
  readonly #waiting: WaitingRequest[] = [];

  constructor(
    context: PartitionContext,
    tenantId: string,
    leftOut: LeftOutRequests,
    suppressionOf: (recipientKey: string) => Promise<Suppression>,
  ) {
    this.#context = context;
    this.#tenantId = tenantId;
    this.#leftOut = leftOut;
    this.#suppressionOf = suppressionOf;
  }

  get length(): number {
    return this.#waiting.length;
  }

  get first(): WaitingRequest | undefined {
    return this.#waiting[0];
  }

  hasMore(): boolean {
    return this.#leftOut.of(this.#tenantId) !== undefined;
  }

  /** Takes a request in, or leaves it in the stream when enough of this tenant wait here, or some are left already. */
  add(request: DispatchRequested, input: StoredMessage): void {
    if (this.#waiting.length >= REQUESTS_MAX || this.hasMore()) this.#leftOut.add(this.#tenantId, input);
    else this.#push(request, input, Date.now());
  }

  shift(): WaitingRequest | undefined {
    void this.#waiting[LOOK_AHEAD]?.suppression();
    return this.#waiting.shift();
  }

  /** Takes the next of those that were left in the stream, but for what was handled up to a sequence. */
  async takeLeftOut(handledSeq: number): Promise<void> {
    const left = this.#leftOut.of(this.#tenantId);
    if (!left) return;
    const { broker, p, service } = this.#context;
    const { fromSeq, toSeq, sinceMs } = left;
    const next = { filter: `dispatch.${p}.${this.#tenantId}.*`, fromSeq, max: REQUESTS_MAX };
    const found = await untilRead(this.#context, () => readNext(broker, 'REQUESTS', next));
    // What the reader has not seen yet it will bring itself.
    const inputs = found.filter((input) => input.seq <= left.toSeq);
    for (const input of inputs) {
      if (input.seq <= handledSeq) continue;
      try {
        this.#push(decodeRequest(p, input), input, sinceMs);
      } catch (error) {
        if (!(error instanceof ContractViolation)) throw error;
        await rejectInput(broker, service, input, 'contract_violation', error);
      }
    }
    // Nothing where something was seen: it was purged.
    this.#leftOut.taken(this.#tenantId, inputs.at(-1)?.seq ?? toSeq);
  }

  #push(request: DispatchRequested, input: StoredMessage, sinceMs: number): void {
    // The server's time of the request: a hold's end must not hang on the caller's clock.
    const asked: Asked = { ...request, requestedAtMs: input.storedAtMs, requestSeq: input.seq, attempt: 0 };
    let looked: { readonly atMs: number; readonly found: Promise<Suppression> } | undefined;
    const suppression = () => {
      if (!looked || Date.now() - looked.atMs > SUPPRESSION_AGE_MS_MAX) {
        looked = { atMs: Date.now(), found: this.#suppressionOf(request.action.recipientKey) };
      }
      return looked.found;
    };
    this.#waiting.push({ input, asked, sinceMs, suppression });
    if (this.#waiting.length <= LOOK_AHEAD) void suppression();
  }
}
