import { createPublicKey, type KeyObject } from 'node:crypto';
import { readTagList, trimBlanks } from './tag-list.ts';

export type DkimKeyState = 'valid' | 'weak' | 'revoked' | 'malformed';

export interface DkimKey {
  readonly state: DkimKeyState;
  /** Absent where there is no key to measure. */
  readonly bits?: number;
  readonly algorithm?: 'rsa' | 'ed25519';
}

/** RFC 8301 3.2: verifiers must not accept keys under 1024 bits, signers should use 2048 or more. */
const RSA_BITS_ACCEPTED_MIN = 1024;
const RSA_BITS_RECOMMENDED_MIN = 2048;
const ED25519_BITS = 256;
const ED25519_OCTETS = 32;

const MALFORMED: DkimKey = { state: 'malformed' };

/** One key record (RFC 6376 3.6.1, RFC 8301, RFC 8463). */
export function readDkimKey(record: string): DkimKey {
  const { tags, names, hasDuplicate, hasStray } = readTagList(record);
  if (hasDuplicate || hasStray) return MALFORMED;
  if (tags.has('v') && (names[0] !== 'v' || tags.get('v') !== 'DKIM1')) return MALFORMED;
  if (!allowsSha256(tags.get('h')) || !allowsMail(tags.get('s'))) return MALFORMED;
  const encoded = tags.get('p')?.replace(/[ \t\r\n]/g, '');
  if (encoded === undefined) return MALFORMED;
  if (encoded === '') return { state: 'revoked' };
  if (!isBase64(encoded)) return MALFORMED;
  const bytes = Buffer.from(encoded, 'base64');
  switch ((tags.get('k') ?? 'rsa').toLowerCase()) {
    case 'rsa':
      return measureRsa(bytes);
    case 'ed25519':
      return measureEd25519(bytes);
    default:
      return MALFORMED;
  }
}

/** RFC 8301 3.1: rsa-sha1 must not be verified, so a key that allows nothing else verifies nothing. */
function allowsSha256(hashes: string | undefined): boolean {
  return hashes === undefined || list(hashes).includes('sha256');
}

function allowsMail(services: string | undefined): boolean {
  return services === undefined || list(services).some((service) => service === '*' || service === 'email');
}

function list(value: string): string[] {
  return value.split(':').map((item) => trimBlanks(item).toLowerCase());
}

function isBase64(text: string): boolean {
  return /^[A-Za-z0-9+/]+={0,2}$/.test(text);
}

function measureRsa(der: Buffer): DkimKey {
  const bits = readRsaKey(der)?.asymmetricKeyDetails?.modulusLength;
  if (bits === undefined) return MALFORMED;
  // a key that no verifier may accept is as useless as one that cannot be read; its true size goes with it
  if (bits < RSA_BITS_ACCEPTED_MIN) return { state: 'malformed', bits, algorithm: 'rsa' };
  return { state: bits < RSA_BITS_RECOMMENDED_MIN ? 'weak' : 'valid', bits, algorithm: 'rsa' };
}

/** RFC 6376 says RSAPublicKey (PKCS #1), practice and erratum 3017 SubjectPublicKeyInfo: both are out there. */
function readRsaKey(der: Buffer): KeyObject | undefined {
  for (const type of ['spki', 'pkcs1'] as const) {
    try {
      const key = createPublicKey({ key: der, format: 'der', type });
      return key.asymmetricKeyType === 'rsa' ? key : undefined;
    } catch {
      // not in this encoding
    }
  }
  return undefined;
}

/** RFC 8463 4.2: the 32 octets of the key itself. Many verifiers know RSA only, so alone it is weak. */
function measureEd25519(bytes: Buffer): DkimKey {
  if (bytes.length !== ED25519_OCTETS) return MALFORMED;
  return { state: 'weak', bits: ED25519_BITS, algorithm: 'ed25519' };
}
