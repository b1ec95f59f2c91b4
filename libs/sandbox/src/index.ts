export type { DnsBehaviour } from './dns-answer.ts';
export { type DnsServer, type DnsServerOptions, startDnsServer } from './dns-server.ts';
export {
  type ReceivedMessage,
  type SmtpServer,
  type SmtpServerOptions,
  startSmtpServer,
} from './smtp-server.ts';
