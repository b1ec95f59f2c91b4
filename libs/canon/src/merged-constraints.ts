import { mergeConstraints } from './constraints.ts';
import { digestOf } from './fingerprint.ts';
import type { Constraints } from './policy.ts';

/** What conditions come to together, and the digest that a sender echoes. */
export interface MergedConstraints {
  readonly constraints: Readonly<Constraints>;
  readonly digest: string;
}

interface Remembered extends MergedConstraints {
  readonly parts: readonly Constraints[];
}

const UNCONSTRAINED: MergedConstraints = mergedOf([]);

/** By the first part. Conditions are a policy's own, the same objects each time, and seldom more than one. */
const lastMerged = new WeakMap<Constraints, Remembered>();

export function mergedConstraints(parts: readonly Constraints[]): MergedConstraints {
  const [first] = parts;
  if (!first) return UNCONSTRAINED;
  const last = lastMerged.get(first);
  if (last?.parts.length === parts.length && last.parts.every((part, index) => part === parts[index])) {
    return last;
  }
  const merged = { ...mergedOf(parts), parts };
  lastMerged.set(first, merged);
  return merged;
}

function mergedOf(parts: readonly Constraints[]): MergedConstraints {
  const constraints = Object.freeze(mergeConstraints(parts));
  return { constraints, digest: digestOf(constraints) };
}
