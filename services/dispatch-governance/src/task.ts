import type { StoredMessage } from '@orchestrate/messaging';

/** Work that waits at a desk, and the input that brought it; null for work that we gave ourselves. */
export interface Task {
  readonly input: StoredMessage | null;
  readonly run: () => Promise<void>;
  /** Of work that we gave ourselves: the record of the hold that it is about. */
  readonly recordSeq: number;
}
