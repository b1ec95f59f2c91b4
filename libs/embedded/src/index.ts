export * from './log-line.ts';
// biome-ignore lint/correctness/useImportExtensions: plain JavaScript; its types are in nats-binary.d.mts
export { ensureNatsServer, findNatsServer, MINIMUM_VERSION, versionOfNatsServer } from './nats-binary.mjs';
export * from './nats-process.ts';
export * from './node-flags.ts';
export * from './platform.ts';
export * from './process-identity.ts';
export * from './run-file.ts';
export * from './run-lock.ts';
export * from './supervisor.ts';
