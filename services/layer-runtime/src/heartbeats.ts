import type { CanonicalBlockerLayer } from '@orchestrate/canon';
import type { HeldSource } from './held-source.ts';

/** Layers whose folded facts live by the heartbeat of a source that looks from outside. */
const HEARTBEAT_LAYERS: readonly CanonicalBlockerLayer[] = ['continuity_window'];

/** Whose facts a heartbeat keeps alive, and whose ended with it; so that one that is heard as ever costs nothing. */
export class Heartbeats {
  readonly #layers = new Map(
    HEARTBEAT_LAYERS.map((layer) => [
      layer,
      { heardMs: 0, living: new Set<HeldSource>(), silent: new Set<HeldSource>() },
    ]),
  );

  note(held: HeldSource, { living, silent }: { living: boolean; silent: boolean }): void {
    const layer = this.#layers.get(held.layer);
    if (!layer) return;
    if (living) layer.living.add(held);
    else layer.living.delete(held);
    if (silent) layer.silent.add(held);
    else layer.silent.delete(held);
  }

  forget(held: HeldSource): void {
    this.note(held, { living: false, silent: false });
  }

  /** Gives the sources that were silent until now. */
  heard(layer: CanonicalBlockerLayer, atMs: number): readonly HeldSource[] {
    const known = this.#layers.get(layer);
    if (!known) return [];
    known.heardMs = Math.max(atMs, known.heardMs);
    return [...known.silent];
  }

  /** Gives the sources that live by a heartbeat which was not heard since this time. */
  lostSince(silentSinceMs: number): readonly HeldSource[] {
    return [...this.#layers.values()].flatMap(({ heardMs, living }) =>
      heardMs >= silentSinceMs ? [] : [...living],
    );
  }
}
