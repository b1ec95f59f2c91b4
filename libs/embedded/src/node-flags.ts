const SEMI_SPACE = '--max-semi-space-size';

/**
 * MiB of one half of the young generation, and by how much the old one may grow before it is collected, in percent; V8
 * decides for itself where nothing is said.
 */
const FLAGS: Readonly<Record<string, readonly string[]>> = {
  // What a decision needs lives for some milliseconds at a thousand a second; with what V8 begins with much of it is moved to
  // the old generation, which is then marked every few seconds, for some hundred milliseconds on two cores.
  'dispatch-governance': [`${SEMI_SPACE}=64`],
  // It looks at ten thousand domains when it starts, and at few of them afterwards: what that leaves would stay for hours.
  'evidence-probes': [`${SEMI_SPACE}=8`, '--heap-growing-percent=20'],
};

/** Flags of Node that a service is to be started with; what NODE_OPTIONS says of the young generation stands alone. */
export function nodeFlagsOf(service: string, { NODE_OPTIONS = '' } = process.env): readonly string[] {
  return NODE_OPTIONS.includes(SEMI_SPACE) ? [] : (FLAGS[service] ?? []);
}
