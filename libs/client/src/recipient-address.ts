import { createHmac } from 'node:crypto';
import { domainToASCII } from 'node:url';
import { domainName } from '@orchestrate/contracts';

export interface RecipientAddress {
  /** As mail is to be sent to it: the domain in lower-case A-labels, the local part as it was written. */
  readonly address: string;
  /** The same person however it is written. Providers do not tell `Ann@` from `ann@`, so neither do we. */
  readonly identity: string;
}

const ADDRESS_OCTETS_MAX = 254;
const LOCAL_OCTETS_MAX = 64;
/** Quoted local parts (RFC 5321 4.1.2) and comments are legal and, in a list of leads, always a mistake. */
const FORBIDDEN_IN_LOCAL = /[\p{Cc}\p{Z}"(),:;<>[\]\\@]/u;
const FORBIDDEN_IN_DOMAIN = /[\p{Cc}\p{Z}"(),:;<>[\]\\@%/?#]/u;

/** The problem never repeats what was written: it may end up in a log. */
export function readAddress(written: string): RecipientAddress | { readonly problem: string } {
  const text = written.trim().normalize('NFC');
  if (text === '') return { problem: 'is empty' };
  const parts = text.split('@');
  const [local, host] = parts;
  if (parts.length !== 2 || local === undefined || host === undefined)
    return { problem: 'needs exactly one @' };
  if (local === '') return { problem: 'has nothing before the @' };
  if (FORBIDDEN_IN_LOCAL.test(local)) return { problem: 'has a space or a forbidden character before the @' };
  if (local.startsWith('.') || local.endsWith('.') || local.includes('..')) {
    return { problem: 'has a dot too many before the @' };
  }
  if (Buffer.byteLength(local) > LOCAL_OCTETS_MAX)
    return { problem: `has over ${LOCAL_OCTETS_MAX} octets before the @` };
  const domain = FORBIDDEN_IN_DOMAIN.test(host) ? '' : domainToASCII(host).toLowerCase();
  if (!domainName.safeParse(domain).success || /\.[0-9]+$/.test(domain))
    return { problem: 'has no valid domain after the @' };
  const address = `${local}@${domain}`;
  if (Buffer.byteLength(address) > ADDRESS_OCTETS_MAX)
    return { problem: `is over ${ADDRESS_OCTETS_MAX} octets long` };
  return { address, identity: `${local.toLowerCase()}@${domain}` };
}

/** HMAC-SHA256 in lower-case hex: the same person is the same key within a tenant, and nothing outside it. */
export function recipientKeyOf(secret: Buffer, identity: string): string {
  return createHmac('sha256', secret).update(identity).digest('hex');
}
