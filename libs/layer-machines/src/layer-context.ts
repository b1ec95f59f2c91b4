import { type Causes, type FactReading, NO_CAUSES } from '@orchestrate/canon';

/** All that a layer's machine remembers. The state is computed from it, so nothing is ever forgotten by a state. */
export interface LayerContext extends Causes {
  readonly facts: Readonly<Record<string, FactReading>>;
}

/** A machine that nobody has told anything: every required fact is an honest unknown. */
export function emptyContext(required: readonly FactReading[]): LayerContext {
  return { ...NO_CAUSES, facts: Object.fromEntries(required.map((fact) => [fact.fact, fact])) };
}
