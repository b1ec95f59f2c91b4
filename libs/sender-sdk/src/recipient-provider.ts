export type RecipientProvider = 'google' | 'microsoft' | 'yahoo' | 'other';

const DOMAINS: Readonly<Record<Exclude<RecipientProvider, 'other'>, readonly string[]>> = {
  google: ['gmail.com', 'googlemail.com'],
  microsoft: ['outlook.com', 'hotmail.com', 'live.com', 'msn.com', 'passport.com', 'windowslive.com'],
  // AOL is served by Yahoo
  yahoo: ['yahoo.com', 'ymail.com', 'rocketmail.com', 'aol.com', 'aim.com', 'myyahoo.com'],
};

/** Providers with a domain per country, such as `hotmail.co.uk`, `live.fr` or `yahoo.com.br`. */
const COUNTRY_DOMAIN = /^(outlook|hotmail|live|yahoo|aol)\.(?:com?\.)?[a-z]{2}$/;

const BY_DOMAIN = new Map(
  Object.entries(DOMAINS).flatMap(([provider, domains]) =>
    domains.map((domain) => [domain, provider as RecipientProvider]),
  ),
);

/**
 * Who receives mail for an address, by its domain alone. A company's own domain is `other` even where one of these
 * hosts it: that stands in its MX records, and an answer from there would be another one tomorrow.
 */
export function providerOf(address: string): RecipientProvider {
  const domain = address.slice(address.lastIndexOf('@') + 1).toLowerCase();
  const known = BY_DOMAIN.get(domain);
  if (known) return known;
  const brand = COUNTRY_DOMAIN.exec(domain)?.[1];
  if (brand === undefined) return 'other';
  return brand === 'yahoo' || brand === 'aol' ? 'yahoo' : 'microsoft';
}
