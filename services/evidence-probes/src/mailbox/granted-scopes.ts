/** What a token may be used for; null where nobody says so. */
export type GrantedScopes = readonly string[] | null;

/** RFC 6749 3.3: names with spaces between them. A grant of thousands is none that anybody asked for. */
const SCOPES_MAX = 256;

export function readScopes(scope: string | undefined): GrantedScopes {
  if (scope === undefined) return null;
  const names = scope.split(' ').filter((name) => name !== '');
  return names.length > SCOPES_MAX ? null : names;
}
