/**
 * MiB of one half of the young generation. What a decision needs lives for some milliseconds at a thousand a second; with
 * the 16 MiB of V8 much of it is moved to the old generation, which is then marked every few seconds, for some hundred
 * milliseconds on two cores.
 */
const SEMI_SPACE_MIB = 64;

/** Flags of Node that a service is to be started with. */
export function nodeFlagsOf(service: string): readonly string[] {
  return service === 'dispatch-governance' ? [`--max-semi-space-size=${SEMI_SPACE_MIB}`] : [];
}
