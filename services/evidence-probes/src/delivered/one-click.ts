import type { Field } from './read-message.ts';

const ONE_CLICK_FIELDS = ['list-unsubscribe', 'list-unsubscribe-post'] as const;

/**
 * RFC 8058 3.1: one List-Unsubscribe with an https URI, and one List-Unsubscribe-Post that says exactly this.
 * Of a repeated field a signature may cover one and a reader act on the other, so it offers nothing.
 */
export function offersOneClick(fields: readonly Field[]): boolean {
  const [addresses, post] = ONE_CLICK_FIELDS.map((name) => valuesOf(name, fields));
  return (
    addresses?.length === 1 &&
    post?.length === 1 &&
    post[0] === 'List-Unsubscribe=One-Click' &&
    addresses.some(hasHttpsUri)
  );
}

/** RFC 8058 4: both fields have to be signed. `signedKeys` is as mailauth lists them, `From: Subject: ...`. */
export function coversOneClick(signedKeys: string): boolean {
  const signed = new Set(signedKeys.toLowerCase().split(/:\s*/));
  return ONE_CLICK_FIELDS.every((name) => signed.has(name));
}

function valuesOf(name: string, fields: readonly Field[]): string[] {
  return fields.filter((field) => field.name === name).map(({ value }) => value);
}

/** RFC 2369 2: the URIs stand in angle brackets, and white space within them does not count. */
function hasHttpsUri(value: string): boolean {
  const uris = [...value.matchAll(/<([^<>]*)>/g)].map(([, uri = '']) => uri.replace(/\s+/g, ''));
  return uris.some((uri) => URL.parse(uri)?.protocol === 'https:');
}
