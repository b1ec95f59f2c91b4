export type { DnsBehaviour } from './dns-answer.ts';
export { type DnsServer, type DnsServerOptions, startDnsServer } from './dns-server.ts';
export {
  type Sandbox,
  SandboxError,
  type SandboxOptions,
  type SandboxVariable,
  startSandbox,
} from './sandbox.ts';
export {
  type ReceivedMessage,
  type SmtpServer,
  type SmtpServerOptions,
  startSmtpServer,
} from './smtp-server.ts';
export { problemLine, type SandboxProblem } from './zone-folder.ts';
