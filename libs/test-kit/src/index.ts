export type { DnsBehaviour } from './dns-answer.ts';
export { type DnsServer, type DnsServerOptions, startDnsServer } from './dns-server.ts';
export { eventually } from './eventually.ts';
export { decision, publishDecision } from './released-decision.ts';
export {
  type ReceivedMessage,
  type SmtpServer,
  type SmtpServerOptions,
  startSmtpServer,
} from './smtp-server.ts';
export { jsonOf, startTestBroker, stored, type TestBroker } from './test-broker.ts';
