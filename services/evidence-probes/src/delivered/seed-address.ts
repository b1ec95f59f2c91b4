import { createHmac } from 'node:crypto';
import { z } from 'zod';

/** `seeds.json` in the folder of credentials. */
export const seedAccess = z.strictObject({ secret: z.string().min(16) });

const TOKEN_HEX = 32;

/**
 * The local part of the address to which a tenant sends a message as proof of one of its domains. Nobody can guess it:
 * whoever knew it could send an unsigned message in the name of the domain and make it look broken.
 */
export function seedToken(secret: string, tenantId: string, domainId: string): string {
  return createHmac('sha256', secret).update(`${tenantId}/${domainId}`).digest('hex').slice(0, TOKEN_HEX);
}
