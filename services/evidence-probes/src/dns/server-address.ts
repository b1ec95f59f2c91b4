import { getServers } from 'node:dns';
import { isIP } from 'node:net';

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  readonly family: 4 | 6;
}

const DNS_PORT = 53;
const WITH_PORT = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/;

/** `ip`, `ipv4:port` or `[ipv6]:port`. Throws a RangeError on anything else, which is a fault of the configuration. */
export function readServerAddress(text: string): ServerAddress {
  const [, bracketed, plain, port] = WITH_PORT.exec(text) ?? [];
  const host = bracketed ?? plain ?? text;
  const family = isIP(host);
  if (family !== 4 && family !== 6)
    throw new RangeError(`\`${text}\` is no resolver, it takes ip or ip:port`);
  return { host, port: port === undefined ? DNS_PORT : Number(port), family };
}

/**
 * The resolvers to ask, in order; without any, those of this machine. One that is named twice is one: it cannot
 * confirm itself.
 */
export function resolverAddresses(servers: readonly string[]): ServerAddress[] {
  const addresses = (servers.length > 0 ? servers : getServers()).map(readServerAddress);
  return [...new Map(addresses.map((address) => [`${address.host} ${address.port}`, address])).values()];
}
