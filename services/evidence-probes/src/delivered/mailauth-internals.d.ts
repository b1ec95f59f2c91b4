/** Parts of mailauth 7.1.0 that it does not declare: the readings on which its own verdicts rest. */
declare module 'mailauth/lib/tools.js' {
  export interface ParsedField {
    /** The field name in lower case; undefined for a line that has none. */
    readonly key: string | undefined;
    /** The whole field, name included, folded as it came. */
    readonly line: Buffer;
  }
  export function parseHeaders(header: Buffer): { readonly parsed: readonly ParsedField[] };
  /** Lower case, A-labels, without the root dot. */
  export function formatDomain(domain: string): string;
  /** The first of the domains that has the organisational domain of From (public suffix list), else false. */
  export function getAlignment(
    fromDomain: string,
    domains: readonly string[],
  ): { readonly domain: string } | false;
}

declare module 'mailauth/lib/dmarc/author-domain.js' {
  export type AuthorDomain =
    | { readonly authorDomain: string }
    | {
        readonly reason:
          | 'no-author-domain'
          | 'multiple-author-domains'
          | 'invalid-author-domain'
          | 'multiple-from-fields';
      };
  export function getAuthorDomain(addresses: readonly string[], fromFields: number): AuthorDomain;
}
