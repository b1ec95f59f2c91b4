import {
  CANONICAL_BLOCKER_LAYERS,
  type CanonicalRuntimeTruth,
  fingerprintOf,
  layerFingerprint,
  type TruthLayer,
} from '@orchestrate/canon';
import { conditionFromWire, type TruthRecorded, truthFromWire } from '@orchestrate/contracts';
import { parsed, type StoreContents } from '../store-contents.ts';
import type { Conditioned } from './layers.ts';
import { isMark, newestMarks } from './marks.ts';
import { type Violation, violation } from './violation.ts';

interface Told {
  readonly seq: number;
  readonly inputSeq: number;
  readonly truth: CanonicalRuntimeTruth;
}

export type Truths = ReadonlyMap<string, readonly Told[]>;

/** The truths of each tenant by subject, oldest first. */
export function truthsIn(contents: StoreContents): Truths {
  const told = contents.TRUTH.flatMap((kept) => {
    const message = isMark(kept) ? null : parsed<TruthRecorded>(kept);
    if (!message) return [];
    const { inputSeq } = message;
    return [{ subject: kept.subject, seq: kept.seq, inputSeq, truth: truthFromWire(message) }];
  });
  return Map.groupBy(told, ({ subject }) => subject);
}

/** A truth's fingerprints are those of its own layers. */
export function checkFingerprints(truths: Truths): Violation[] {
  return [...truths.values()].flat().flatMap(({ seq, truth }) => {
    const layerFingerprints = fingerprintsOf(truth);
    const wrong = CANONICAL_BLOCKER_LAYERS.find(
      (layer) => layerFingerprints[layer] !== truth.layerFingerprints[layer],
    );
    const where = `TRUTH/${seq}`;
    if (wrong) return [violation('wrong_fingerprint', where, `${truth.tenantId}: that of ${wrong}`)];
    if (fingerprintOf({ ...truth, layerFingerprints }) === truth.fingerprint) return [];
    return [violation('wrong_fingerprint', where, `${truth.tenantId}: that of the whole`)];
  });
}

function fingerprintsOf({ layers }: CanonicalRuntimeTruth): CanonicalRuntimeTruth['layerFingerprints'] {
  const entries = CANONICAL_BLOCKER_LAYERS.map((layer) => [layer, layerFingerprint(layers[layer])]);
  return Object.fromEntries(entries) as CanonicalRuntimeTruth['layerFingerprints'];
}

/** Epochs count the changes of the fingerprint one by one, and no truth rests on older inputs than the one before. */
export function checkEpochs(truths: Truths): Violation[] {
  return [...truths].flatMap(([subject, history]) =>
    history.flatMap(({ seq, inputSeq, truth }, at) => {
      const before = history[at - 1];
      if (!before) return [];
      const where = `TRUTH/${seq}`;
      const isOther = truth.fingerprint !== before.truth.fingerprint;
      const epoch = before.truth.epoch + (isOther ? 1 : 0);
      if (truth.epoch !== epoch)
        return [violation('went_back', where, `${subject}: epoch ${truth.epoch} where ${epoch} was next`)];
      if (inputSeq >= before.inputSeq) return [];
      return [violation('went_back', where, `${subject}: LAYERS/${inputSeq} after ${before.inputSeq}`)];
    }),
  );
}

/** The newest truth says of each source what its newest condition says, as far as the mark of TRUTH has come. */
export function checkReflection(
  contents: StoreContents,
  conditions: readonly Conditioned[],
  truths: Truths,
): Violation[] {
  const marks = newestMarks(contents.TRUTH);
  const newest = new Map<string, Conditioned>();
  for (const one of conditions) {
    const [, p] = one.subject.split('.');
    if (one.seq <= (marks.get(p!)?.inputs.LAYERS ?? 0)) newest.set(one.subject, one);
  }
  const byTenant = Map.groupBy(newest.values(), ({ subject }) => subject.split('.').slice(1, 3).join('.'));
  return [...byTenant].flatMap(([address, sources]) => {
    const last = truths.get(`truth.${address}`)?.at(-1);
    const where = `truth.${address}`;
    if (!last) return [violation('not_reflected', where, 'there is no truth')];
    // It is already further than the mark: the conditions that it knows may be newer than those at hand.
    const isAhead = conditions.some(
      ({ seq, subject }) => seq <= last.inputSeq && !isNewest(newest, subject, seq),
    );
    return isAhead ? [] : differences(where, last.truth, sources);
  });
}

const isNewest = (newest: ReadonlyMap<string, Conditioned>, subject: string, seq: number): boolean =>
  seq <= (newest.get(subject)?.seq ?? 0);

function differences(
  where: string,
  truth: CanonicalRuntimeTruth,
  sources: readonly Conditioned[],
): Violation[] {
  return CANONICAL_BLOCKER_LAYERS.flatMap((layer) => {
    const told = sources
      .filter(({ condition }) => condition.layer === layer)
      .map(({ condition }) => {
        const { tenantId: _tenantId, layer: _layer, ...source } = conditionFromWire(condition);
        return source;
      })
      .sort((a, b) => (a.source < b.source ? -1 : 1));
    const shown: TruthLayer = { ...truth.layers[layer], sources: told };
    if (layerFingerprint(shown) === truth.layerFingerprints[layer]) return [];
    return [violation('not_reflected', where, `${layer} is not what its newest conditions say`)];
  });
}
