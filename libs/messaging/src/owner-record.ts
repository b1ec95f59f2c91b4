import type { KV } from '@nats-io/kv';
import { z } from 'zod';

/** The inputs that one of was being handled when an owner's process died. */
export interface Suspect {
  readonly stream: string;
  readonly fromSeq: number;
  readonly toSeq: number;
}

const recordSchema = z.object({
  instance: z.string(),
  life: z.string(),
  state: z.enum(['held', 'released']),
  /** Processes that died at the suspect; without one: whether the last owner died at all. */
  deaths: z.number().int(),
  /** Whether this holder came as far as the suspect, or only heard of it from the one before. */
  reached: z.boolean(),
  suspect: z.object({ stream: z.string(), fromSeq: z.number(), toSeq: z.number() }).nullable(),
});
export type OwnerRecord = z.infer<typeof recordSchema>;

export const OWNERS_BUCKET = 'OWNERS';

/** Who holds a partition, and where it was when its holder died: one key per service and partition. */
export class OwnerRecords {
  readonly #kv: KV;
  readonly #service: string;

  constructor(kv: KV, service: string) {
    this.#kv = kv;
    this.#service = service;
  }

  async read(p: number): Promise<OwnerRecord | null> {
    const entry = await this.#kv.get(`${this.#service}.${p}`);
    if (entry?.operation !== 'PUT') return null;
    const parsed = recordSchema.safeParse(entry.json());
    return parsed.success ? parsed.data : null;
  }

  async write(p: number, record: OwnerRecord): Promise<void> {
    await this.#kv.put(`${this.#service}.${p}`, JSON.stringify(record));
  }
}
