/**
 * MiB of one half of the young generation. What a decision needs lives for some milliseconds at a thousand a second; with
 * the 16 MiB of V8 much of it is moved to the old generation, which is then marked every few seconds, for some hundred
 * milliseconds on two cores.
 */
const SEMI_SPACE_MIB = 64;

const SEMI_SPACE = '--max-semi-space-size';

/** Flags of Node that a service is to be started with; what NODE_OPTIONS says of the same stands. */
export function nodeFlagsOf(service: string, { NODE_OPTIONS = '' } = process.env): readonly string[] {
  if (service !== 'dispatch-governance' || NODE_OPTIONS.includes(SEMI_SPACE)) return [];
  return [`${SEMI_SPACE}=${SEMI_SPACE_MIB}`];
}
