import { randomUUID } from 'node:crypto';
import { PARTITIONS } from '@orchestrate/canon';
import { type Mark, VERSION } from '@orchestrate/contracts';
import { ContractViolation, decodeLenient, encode, UnsupportedVersion } from './codec.ts';
import type { Broker } from './connect.ts';
import { crashPoint } from './crash-point.ts';
import type { DeathWatch } from './death-watch.ts';
import { FoldingPublisher, PublishAbandoned } from './folding-publisher.ts';
import { InputTurns } from './input-turns.ts';
import type { PartitionedService, PartitionWorker } from './partitioned-service.ts';
import { rejectInput } from './rejections.ts';
import type { StoredMessage } from './stored-message.ts';
import { readLast, readNext } from './stream-lookup.ts';
import { StreamFollower } from './stream-reader.ts';
import { untilAnswered } from './until-answered.ts';

const TICK_MS = 1_000;

export interface RunHooks {
  readonly lost: (error: Error) => void;
  readonly stopped: (error: UnsupportedVersion) => void;
  readonly handled: (stream: string) => void;
  readonly rejected: (input: StoredMessage, reason: string) => void;
}

/** One partition while this process owns it: hydrate, follow the inputs in order, tick, mark, release. */
export class PartitionRun {
  readonly p: number;
  readonly #broker: Broker;
  readonly #service: PartitionedService;
  readonly #instance: string;
  readonly #hooks: RunHooks;
  readonly #deaths: DeathWatch;
  readonly #publisher: FoldingPublisher;
  readonly #followers = new Map<string, StreamFollower>();
  /** The newest input that was handled, or put in line behind others. */
  readonly #handled: Record<string, number> = {};
  readonly #turns = new Map<string, InputTurns>();
  #worker!: PartitionWorker;
  /** Up to when everything that was stored in an input stream is folded. */
  readonly #reachedMs = new Map<string, number>();
  #busy = 0;
  #isOpen = false;
  #closed = false;
  #ended: Error | undefined;
  #releasing: Promise<void> | undefined;
  #ticker: NodeJS.Timeout | undefined;
  #nextMarkMs = 0;
  #marking: Promise<void> | null = null;
  #markAsked = false;
  /** What the mark that stands in the stream vouches for, null before the first. */
  #markedAsOfMs: number | null = null;
  /** The last mark stood for a time in the past, because inputs were still waiting. */
  #markedBehind = false;

  private constructor(
    broker: Broker,
    service: PartitionedService,
    self: { p: number; instance: string },
    deaths: DeathWatch,
    hooks: RunHooks,
  ) {
    this.p = self.p;
    this.#broker = broker;
    this.#service = service;
    this.#instance = self.instance;
    this.#deaths = deaths;
    this.#hooks = hooks;
    this.#publisher = new FoldingPublisher(broker, service.output, (error) => this.#lose(error));
  }

  static async open(
    broker: Broker,
    service: PartitionedService,
    self: { p: number; instance: string },
    deaths: DeathWatch,
    hooks: RunHooks,
  ): Promise<PartitionRun> {
    const run = new PartitionRun(broker, service, self, deaths, hooks);
    try {
      await run.#open();
    } catch (error) {
      // Half an owner would go on reading and writing beside the next one.
      await run.abandon();
      throw error;
    }
    return run;
  }

  /** Everything that was stored before now has been read, and nothing waits to be written. */
  isCaughtUp(): boolean {
    if (this.#busy > 0 || this.#followers.size < this.#service.inputs.length) return false;
    if ([...this.#turns.values()].some((turns) => !turns.isEmpty)) return false;
    return [...this.#followers.values()].every((follower) => follower.isCaughtUp());
  }

  isClosed(): boolean {
    return this.#closed;
  }

  markedAsOfMs(): number | null {
    return this.#markedAsOfMs;
  }

  /** Inputs of a stream that are stored and not handled yet. */
  lagOf(stream: string): number {
    return (this.#followers.get(stream)?.pending ?? 0) + (this.#turns.get(stream)?.waiting ?? 0);
  }

  /** Stops reading, makes durable what was read, marks it and lets the partition go. */
  release(): Promise<void> {
    this.#releasing ??= this.#release();
    return this.#releasing;
  }

  async #release(): Promise<void> {
    clearInterval(this.#ticker);
    const finished = this.#worker.finish?.();
    await Promise.all([...this.#followers.values()].map((follower) => follower.close()));
    await Promise.all([...this.#turns.values()].map((turns) => turns.close()));
    await (finished ?? this.#workedOff());
    crashPoint('during_release');
    await this.#marking;
    if (this.#closed) return;
    await this.#mark();
    this.#close();
    await this.#deaths.release();
  }

  /** Stops at once; what was not durable yet will be read again by whoever hydrates next. */
  async abandon(): Promise<void> {
    this.#close();
    await Promise.all([...this.#followers.values()].map((follower) => follower.close()));
  }

  #close(): void {
    this.#closed = true;
    clearInterval(this.#ticker);
    this.#publisher.close();
    for (const turns of this.#turns.values()) void turns.close();
    this.#deaths.end();
    this.#worker?.close?.();
  }

  async #workedOff(): Promise<void> {
    await this.#worker.workedOff?.();
  }

  async #open(): Promise<void> {
    const { mark: contract } = this.#service;
    const subject = contract.subject(this.p);
    const stored = await readLast(this.#broker, this.#service.output, subject);
    const mark = stored ? decodeLenient(contract, stored.data) : null;
    if (stored) this.#publisher.seed(subject, stored.seq);
    this.#markedAsOfMs = mark?.asOfMs ?? null;
    crashPoint('during_hydration');
    this.#worker = await this.#service.open(
      {
        p: this.p,
        broker: this.#broker,
        service: this.#service.name,
        instance: this.#instance,
        publisher: this.#publisher,
        lost: (error) => this.#lose(error),
        requestMark: () => this.#askMark(),
        closed: () => this.#closed,
      },
      mark,
    );
    crashPoint('hydrated_before_reading');
    for (const { stream, turns } of this.#service.inputs) {
      if (turns) this.#turns.set(stream, this.#inputTurns(stream, turns.filterOf));
      this.#handled[stream] = Math.max(mark?.inputs[stream] ?? 0, this.#worker.covered?.[stream] ?? 0);
      this.#reachedMs.set(stream, mark?.asOfMs ?? 0);
    }
    if (this.#deaths.isSuspicious()) void this.#followInTurn();
    else await this.#followAll();
    if (this.#ended) throw this.#ended;
    this.#isOpen = true;
    this.#ticker = setInterval(() => this.#tick(Date.now()), TICK_MS);
    // The first mark tells the reader that somebody is here, as soon as the backlog is worked off.
    if (this.#service.markEveryMs !== null) this.#askMark();
  }

  async #followAll(): Promise<void> {
    await Promise.all(this.#service.inputs.map((input) => this.#follow(input.stream, input.filters(this.p))));
    await this.#deaths.opened();
  }

  /** Does not keep the other partitions from being taken: only the reading waits. */
  async #followInTurn(): Promise<void> {
    try {
      await this.#deaths.itsTurn();
      if (!this.#closed) await this.#followAll();
    } catch (error) {
      this.#lose(error as Error);
    }
  }

  async #follow(stream: StoredMessage['stream'], filters: readonly string[]): Promise<void> {
    const fromSeq = this.#handled[stream]! + 1;
    const follower = await StreamFollower.start(this.#broker, { stream, filters, fromSeq }, (input) =>
      this.#handle(input),
    );
    this.#deaths.backlog(stream, follower.pending);
    this.#followers.set(stream, follower);
    follower.done.catch((error: Error) => this.#lose(error));
    if (this.#closed) await follower.close();
  }

  #inputTurns(stream: StoredMessage['stream'], filterOf: (p: number, key: string) => string): InputTurns {
    return new InputTurns({
      handle: (input) => this.#handleNow(input),
      readNext: (key, fromSeq, max) =>
        untilAnswered(
          () => readNext(this.#broker, stream, { filter: filterOf(this.p, key), fromSeq, max }),
          () => this.#closed,
        ),
      failed: (error) => {
        if (!(error instanceof PublishAbandoned)) this.#lose(error);
      },
    });
  }

  async #handle(input: StoredMessage): Promise<void> {
    const { stream, seq } = input;
    if (this.#closed || seq <= this.#handled[stream]!) return;
    if (this.#deaths.isCautious(stream)) {
      // What came before it on the same subject may be in line still.
      await this.#turns.get(stream)?.workedOff();
      return this.#handleNow(input, 'noted');
    }
    const key = this.#keyOf(input);
    if (key === null) return this.#handleNow(input);
    this.#turns.get(stream)!.add(key, input);
    this.#handled[stream] = seq;
  }

  #keyOf(input: StoredMessage): string | null {
    return this.#service.inputs.find(({ stream }) => stream === input.stream)?.turns?.keyOf(input) ?? null;
  }

  async #handleNow(input: StoredMessage, how?: 'noted'): Promise<void> {
    crashPoint('input_received');
    this.#busy++;
    try {
      await (how === 'noted' ? this.#handleNoted(input) : this.#tryHandle(input));
      if (this.#closed) return;
      this.#handled[input.stream] = Math.max(input.seq, this.#handled[input.stream]!);
      this.#hooks.handled(input.stream);
      this.#reached(input.stream, input.storedAtMs);
      // Not of what was in line: it would wait for itself.
      if (how === 'noted') await this.#deaths.handled(input, () => this.#workedOff());
    } finally {
      this.#busy--;
      // The reader counts an input as handled only after this returns.
      if (this.#markedBehind) setImmediate(() => this.#markIfCaughtUp());
    }
  }

  /** After a death: the note says which input runs, and one that killed three processes is skipped. */
  async #handleNoted(input: StoredMessage): Promise<void> {
    let handling: Promise<void> | undefined;
    const start = () => {
      handling = this.#tryHandle(input);
      // Waited for below, after the turn; until then it must not count as unhandled.
      handling.catch(() => {});
    };
    const isDeadly = await this.#deaths.begin(input, { start, workedOff: () => this.#workedOff() });
    if (isDeadly) {
      const problem = new Error('three processes died while they handled this input');
      await this.#reject(input, 'process_deaths', problem);
    } else await handling;
  }

  async #tryHandle(input: StoredMessage): Promise<void> {
    try {
      await this.#worker.handle(input);
    } catch (error) {
      // Not garbage and not ours to skip: the partition waits for a newer service.
      if (error instanceof UnsupportedVersion) throw error;
      // Nothing is wrong with it: whoever hydrates next reads it again.
      if (error instanceof PublishAbandoned) throw error;
      const reason = error instanceof ContractViolation ? 'contract_violation' : 'handler_fault';
      await this.#reject(input, reason, error);
    }
  }

  async #reject(
    input: StoredMessage,
    reason: 'contract_violation' | 'handler_fault' | 'process_deaths',
    error: unknown,
  ): Promise<void> {
    await rejectInput(this.#broker, this.#service.name, input, reason, error);
    this.#hooks.rejected(input, reason);
    if (reason !== 'contract_violation') await this.#worker.faulted?.(input);
  }

  /** A partition that was behind says at once that it is not any more. */
  #markIfCaughtUp(): void {
    if (this.#closed || !this.#markedBehind || !this.isCaughtUp()) return;
    this.#markedBehind = false;
    if (this.#service.markEveryMs !== null) this.#askMark();
  }

  #tick(nowMs: number): void {
    if (this.#closed) return;
    try {
      this.#worker.tick(nowMs);
    } catch (error) {
      this.#lose(error as Error);
      return;
    }
    this.#markIfCaughtUp();
    const { markEveryMs } = this.#service;
    if (markEveryMs !== null && nowMs >= this.#nextMarkMs) this.#askMark();
  }

  #askMark(): void {
    this.#nextMarkMs = this.#markAfterMs(Date.now());
    if (this.#marking !== null) {
      this.#markAsked = true;
      return;
    }
    this.#marking = this.#mark()
      .catch((error: Error) => this.#lose(error))
      .finally(() => {
        this.#marking = null;
        if (!this.#markAsked || this.#closed) return;
        this.#markAsked = false;
        this.#askMark();
      });
  }

  /** Each partition has its own moments: what all marks have to save at once would stand in everybody's way. */
  #markAfterMs(nowMs: number): number {
    const everyMs = this.#service.markEveryMs ?? 0;
    if (everyMs === 0) return nowMs;
    const offsetMs = (everyMs * this.p) / PARTITIONS;
    return nowMs + everyMs - ((nowMs - offsetMs) % everyMs);
  }

  /** Positions first, then wait until all that belongs before them is durable, then say so. */
  async #mark(): Promise<void> {
    await this.#reachNow();
    const handled = { ...this.#handled };
    const reached = [...this.#reachedMs.values()];
    for (const [stream, turns] of this.#turns) {
      const oldest = turns.oldest();
      if (!oldest) continue;
      handled[stream] = Math.min(handled[stream]!, oldest.seq - 1);
      reached.push(oldest.storedAtMs - 1);
    }
    const inputs = this.#worker.positions?.(handled) ?? handled;
    // Time does not go back: an input may have been stored before a mark and delivered after it.
    const reachedMs = Math.max(Math.min(...reached), this.#markedAsOfMs ?? 0);
    const asOfMs = this.#worker.asOfMs?.(reachedMs) ?? reachedMs;
    await this.#worker.settled?.();
    await this.#publisher.flushed();
    if (this.#closed) return;
    const mark: Mark = {
      v: VERSION,
      id: randomUUID(),
      p: this.p,
      asOfMs,
      inputs: { ...inputs },
      ...this.#worker.counts(),
      instance: this.#instance,
    };
    if (mark.tenants > 0) crashPoint('before_mark');
    const data = encode(this.#service.mark, mark);
    this.#publisher.set(this.#service.mark.subject(this.p), () => data);
    await this.#publisher.flushed();
    this.#markedAsOfMs = asOfMs;
    if (mark.tenants > 0) crashPoint('after_mark');
  }

  /** Everything that the server sent before it answers here has arrived: who has nothing left to read is as of now. */
  async #reachNow(): Promise<void> {
    const nowMs = Date.now();
    const heard = await this.#broker.nc.flush().then(
      () => true,
      () => false,
    );
    this.#markedBehind = !heard || !this.isCaughtUp();
    if (!heard || this.#busy > 0) return;
    for (const [stream, follower] of this.#followers) if (follower.isCaughtUp()) this.#reached(stream, nowMs);
  }

  /** Time never goes back: what was reflected up to then still is. */
  #reached(stream: string, atMs: number): void {
    this.#reachedMs.set(stream, Math.max(atMs, this.#reachedMs.get(stream) ?? 0));
  }

  #lose(error: Error): void {
    if (this.#closed) return;
    this.#ended = error;
    void this.abandon();
    // Whoever opens hears it from there.
    if (!this.#isOpen) return;
    if (error instanceof UnsupportedVersion) this.#hooks.stopped(error);
    else this.#hooks.lost(error);
  }
}
