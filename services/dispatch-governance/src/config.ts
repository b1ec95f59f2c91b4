import { z } from 'zod';

/** Environment of this service beside what every service reads. */
export const environment = {
  /** How often each partition saves its ledger and says how far it is, seconds. Unset: the policy's cadence. */
  CADENCE_SEC: z.coerce.number().int().min(1).max(3600).optional(),
};
export type Environment = z.infer<z.ZodObject<typeof environment>>;
