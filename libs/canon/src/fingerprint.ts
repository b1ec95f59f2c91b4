import { hash } from 'node:crypto';
import canonicalize from 'canonicalize';

/** RFC 8785 canonical JSON. Throws on what JSON cannot say (NaN, infinities, undefined at the top). */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('there is no canonical JSON of undefined');
  return text;
}

/** SHA-256 in lower-case hex of the value's canonical JSON. */
export function digestOf(value: unknown): string {
  return hash('sha256', canonicalJson(value), 'hex');
}

/** SHA-256 in lower-case hex of these very bytes or characters (UTF-8). */
export function digestOfBytes(bytes: string | Uint8Array): string {
  return hash('sha256', bytes, 'hex');
}
