import { z } from 'zod';

/** Environment of this service beside what every service reads. */
export const environment = {
  /** How often each partition says how far it is, seconds. Readers call a mark stale after two of the policy's. Unset: the policy's cadence. */
  CADENCE_SEC: z.coerce.number().int().min(1).max(3600).optional(),
};

export type Environment = z.infer<z.ZodObject<typeof environment>>;
