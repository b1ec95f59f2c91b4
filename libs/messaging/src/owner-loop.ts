import { setTimeout as sleep } from 'node:timers/promises';
import { PARTITIONS } from '@orchestrate/canon';
import { PublishConflict } from './ack-publisher.ts';
import { UnsupportedVersion } from './codec.ts';
import type { Broker } from './connect.ts';
import { DeathWatch, Turn } from './death-watch.ts';
import { type OwnerRecord, OwnerRecords } from './owner-record.ts';
import { PartitionRun } from './partition-run.ts';
import type { PartitionedService } from './partitioned-service.ts';
import { Presence } from './presence.ts';
import { ownerOf } from './rendezvous.ts';

const TAKE_AT_ONCE = 16;
/**
 * So long an owner that is alive is waited for, from when the last partition came. One that hangs stops announcing
 * itself, and is not waited for.
 */
const TAKER_WAITS_MS_MAX = 8_000;
/** So long the next owner of a partition is waited for before the one after it is let go. */
const GIVER_WAITS_MS_MAX = 2_000;
/** After this a stopping instance lets go of all that it still has: sooner than others stop waiting for it. */
const GIVES_MS_MAX = 5_000;
const STOPPED_RETRY_MS = 30_000;

export interface OwnerLoopLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface OwnerLoopStatus {
  readonly owned: number;
  readonly caughtUp: number;
  readonly lag: number;
  /** The same by input stream. */
  readonly lagOf: Readonly<Record<string, number>>;
  /** Inputs handled since the start, by stream. */
  readonly handledOf: Readonly<Record<string, number>>;
  /** Owned partition -> what its last mark vouches for; one that was never marked is not in it. */
  readonly markedAsOfMs: Readonly<Record<number, number>>;
  /** How often partitions were taken, handed on, and given up without that. */
  readonly taken: number;
  readonly released: number;
  readonly lost: number;
  readonly conflicts: number;
  readonly rejected: number;
  /** Why health is red: partitions that stopped or inputs that were skipped. */
  readonly red: readonly string[];
}

/**
 * Owns the partitions that rendezvous hashing gives to this instance: takes them, follows their inputs, hands them
 * on. Preference comes from presence and is no safety; safety is that every write is compare-and-set, so that of
 * two owners at once one loses its first write and lets go.
 */
export class OwnerLoop {
  readonly #broker: Broker;
  readonly #service: PartitionedService;
  readonly #self: { readonly instance: string; readonly life: string };
  readonly #log: OwnerLoopLog;
  readonly #givesMsMax: number;
  readonly #runs = new Map<number, PartitionRun>();
  /** Partitions on which a take-over, a release or a back-off is under way. */
  readonly #moving = new Set<number>();
  /** Partitions whose owner died work off their backlogs one after another. */
  readonly #suspicious = new Turn();
  readonly #stoppedUntilMs = new Map<number, number>();
  readonly #losses = new Map<number, number>();
  readonly #red = new Map<string, string>();
  #presence!: Presence;
  #records!: OwnerRecords;
  /** Partitions that we come for, and those of them that are being read. */
  #taking = 0;
  #opening = 0;
  #handingOver: Promise<void> | null = null;
  readonly #handled: Record<string, number>;
  #taken = 0;
  #lastTakenMs = 0;
  #released = 0;
  #lostCount = 0;
  #conflicts = 0;
  #rejected = 0;
  #closing = false;
  #steering: NodeJS.Timeout | undefined;
  #steerAsked = false;

  private constructor(
    broker: Broker,
    service: PartitionedService,
    self: { instance: string; life: string },
    log: OwnerLoopLog,
    givesMsMax: number,
  ) {
    this.#givesMsMax = givesMsMax;
    this.#broker = broker;
    this.#service = service;
    this.#self = self;
    this.#log = log;
    this.#handled = Object.fromEntries(service.inputs.map(({ stream }) => [stream, 0]));
  }

  /** Joins the instances of the service and resolves when the partitions that are ours now are taken. */
  static async start(
    broker: Broker,
    service: PartitionedService,
    self: { instance: string; life: string },
    log: OwnerLoopLog,
    { givesMsMax = GIVES_MS_MAX }: { readonly givesMsMax?: number } = {},
  ): Promise<OwnerLoop> {
    const loop = new OwnerLoop(broker, service, self, log, givesMsMax);
    loop.#records = await OwnerRecords.open(broker, service.name);
    loop.#presence = await Presence.join(broker, { service: service.name, ...self }, () => loop.#steer());
    loop.#steering = setInterval(() => loop.#steer(), 1_000);
    loop.#steer();
    await loop.#allTaken();
    log.info({ owned: loop.#runs.size }, 'partitions taken');
    return loop;
  }

  status(): OwnerLoopStatus {
    const runs = [...this.#runs.values()];
    const lagOf = this.#service.inputs.map(
      ({ stream }) => [stream, runs.reduce((sum, run) => sum + run.lagOf(stream), 0)] as const,
    );
    const marks = runs.map((run) => [run.p, run.markedAsOfMs()] as const);
    return {
      owned: runs.length,
      caughtUp: runs.filter((run) => run.isCaughtUp()).length,
      lag: lagOf.reduce((sum, [, lag]) => sum + lag, 0),
      lagOf: Object.fromEntries(lagOf),
      handledOf: { ...this.#handled },
      markedAsOfMs: Object.fromEntries(marks.filter((mark): mark is [number, number] => mark[1] !== null)),
      taken: this.#taken,
      released: this.#released,
      lost: this.#lostCount,
      conflicts: this.#conflicts,
      rejected: this.#rejected,
      red: [...this.#red.values()],
    };
  }

  /** Hands everything on. */
  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    clearInterval(this.#steering);
    await this.#presence.announceLeaving();
    let isLate = false;
    const handedOn = (async () => {
      await this.#handingOver;
      await this.#handOver(
        () => true,
        () => isLate,
      );
    })();
    await Promise.race([handedOn, sleep(this.#givesMsMax, undefined, { ref: false })]);
    isLate = true;
    await Promise.all([...this.#runs.values()].map((run) => this.#release(run)));
    // What was being taken when we were told to stop lets itself go again.
    while (this.#taking > 0) await sleep(5);
    await this.#presence.leave();
    this.#records.close();
  }

  /**
   * One after another, in the order in which the others come for them: with the rest their owner goes on, so each is
   * without one for a moment only.
   */
  async #handOver(isMeant: (p: number) => boolean, isOver: () => boolean): Promise<void> {
    for (const run of [...this.#runs.values()].sort((a, b) => a.p - b.p)) {
      const { p } = run;
      if (isOver()) return;
      if (this.#runs.get(p) !== run || this.#moving.has(p) || !isMeant(p)) continue;
      const isLetGo = await this.#release(run);
      if (isLetGo) await this.#workedOnByAnother(p, () => isOver() || !isMeant(p));
    }
  }

  /** Resolves when the partition has another owner who works, or when nobody can be waited for. */
  async #workedOnByAnother(p: number, isOver: () => boolean): Promise<void> {
    const deadlineMs = Date.now() + GIVER_WAITS_MS_MAX;
    const isWorkedOn = (record: OwnerRecord | null) =>
      !record || (record.life !== this.#self.life && record.state === 'held' && record.works);
    const isLost = () => !this.#presence.hasOthers() || Date.now() >= deadlineMs || isOver();
    await this.#records.until(p, isWorkedOn, isLost).catch(() => {});
  }

  async #allTaken(): Promise<void> {
    while (!this.#closing && this.#wanted().some((p) => !this.#runs.has(p) && !this.#stoppedUntilMs.has(p))) {
      await sleep(5);
    }
  }

  #wanted(): number[] {
    const members = this.#presence.members();
    return Array.from({ length: PARTITIONS }, (_, p) => p).filter((p) => this.#wants(p, members));
  }

  #wants(p: number, members = this.#presence.members()): boolean {
    return ownerOf(p, members) === this.#self.instance;
  }

  /** Starts what should be ours and is not, lets go what is ours and should not be. */
  #steer(): void {
    if (this.#closing || this.#steerAsked) return;
    this.#steerAsked = true;
    setImmediate(() => {
      this.#steerAsked = false;
      if (this.#closing || !this.#records || !this.#presence) return;
      const wanted = new Set(this.#wanted());
      for (const p of this.#stoppedUntilMs.keys()) {
        if (!wanted.has(p) || this.#runs.get(p)?.isCaughtUp()) this.#started(p);
      }
      if ([...this.#runs.keys()].some((p) => !wanted.has(p))) {
        this.#handingOver ??= this.#handOver(
          (p) => !this.#wants(p),
          () => this.#closing,
        ).finally(() => {
          this.#handingOver = null;
          this.#steer();
        });
      }
      const nowMs = Date.now();
      for (const p of wanted) {
        if (this.#runs.has(p) || this.#moving.has(p)) continue;
        if ((this.#stoppedUntilMs.get(p) ?? 0) > nowMs) continue;
        this.#moving.add(p);
        this.#taking++;
        void this.#take(p).finally(() => {
          this.#taking--;
          this.#moving.delete(p);
          this.#steer();
        });
      }
    });
  }

  async #take(p: number): Promise<void> {
    let isOpening = false;
    try {
      const isLetGo = await this.#awaitHandover(p);
      while (this.#opening >= TAKE_AT_ONCE && !this.#closing) await sleep(5);
      if (this.#closing || !this.#wants(p)) return;
      this.#opening++;
      isOpening = true;
      const deaths = await DeathWatch.take(this.#records, p, this.#self, {
        isAlive: (record) => this.#isAlive(record),
        turn: this.#suspicious,
        byForce: !isLetGo,
      });
      // Another came for it too, before it knew of us: it hands over in its turn.
      if (!deaths) return;
      const run = await PartitionRun.open(
        this.#broker,
        this.#service,
        { p, instance: this.#self.instance },
        deaths,
        {
          lost: (error) => this.#lost(p, error),
          stopped: (error) => this.#stopped(p, error),
          handled: (stream) => this.#handled[stream]!++,
          rejected: (input, reason) => {
            this.#rejected++;
            this.#log.warn({ p, stream: input.stream, seq: input.seq, reason }, 'input rejected');
            if (reason === 'process_deaths') {
              this.#red.set(
                `${input.stream}/${input.seq}`,
                `${input.stream}/${input.seq} skipped after three deaths`,
              );
            }
          },
        },
      );
      this.#taken++;
      this.#lastTakenMs = Date.now();
      if (run.isClosed()) return;
      if (this.#closing) await this.#release(run);
      else this.#runs.set(p, run);
    } catch (error) {
      if (error instanceof UnsupportedVersion) return this.#stopped(p, error);
      if (error instanceof PublishConflict) this.#conflicts++;
      this.#log.warn({ p, problem: (error as Error).message }, 'partition not taken, trying again');
      await sleep(this.#backoffMs(p));
    } finally {
      if (isOpening) this.#opening--;
    }
  }

  /** An owner that is alive and was asked to let go needs a moment; a dead one is not waited for. False: it took too long. */
  async #awaitHandover(p: number): Promise<boolean> {
    const sinceMs = Date.now();
    const isOver = () =>
      this.#closing || Date.now() >= Math.max(sinceMs, this.#lastTakenMs) + TAKER_WAITS_MS_MAX;
    const isFree = (record: OwnerRecord | null) =>
      !record || record.state === 'released' || record.life === this.#self.life || !this.#isAlive(record);
    return this.#records.until(p, isFree, isOver);
  }

  #isAlive(record: OwnerRecord): boolean {
    return record.life === this.#self.life || this.#presence.isAlive(record.instance, record.life);
  }

  /** Whether it was let go cleanly, so that another may have it. */
  async #release(run: PartitionRun): Promise<boolean> {
    this.#moving.add(run.p);
    try {
      await run.release();
      if (this.#runs.get(run.p) === run) this.#released++;
      return true;
    } catch (error) {
      this.#log.warn({ p: run.p, problem: (error as Error).message }, 'partition not released cleanly');
      return false;
    } finally {
      if (this.#runs.get(run.p) === run) this.#runs.delete(run.p);
      this.#moving.delete(run.p);
    }
  }

  #lost(p: number, error: Error): void {
    this.#lostCount++;
    if (error instanceof PublishConflict) this.#conflicts++;
    this.#log.warn({ p, problem: error.message }, 'partition lost, looking again who owns it');
    this.#runs.delete(p);
    this.#moving.add(p);
    void sleep(this.#backoffMs(p)).then(() => {
      this.#moving.delete(p);
      this.#steer();
    });
  }

  #stopped(p: number, error: UnsupportedVersion): void {
    this.#log.error({ p, problem: error.message }, 'partition stopped');
    this.#red.set(`version/${p}`, `partition ${p}: ${error.message}`);
    this.#runs.delete(p);
    this.#stoppedUntilMs.set(p, Date.now() + STOPPED_RETRY_MS);
  }

  /** It got past what it did not understand, or is somebody else's now. */
  #started(p: number): void {
    this.#stoppedUntilMs.delete(p);
    this.#red.delete(`version/${p}`);
  }

  #backoffMs(p: number): number {
    const losses = (this.#losses.get(p) ?? 0) + 1;
    this.#losses.set(p, losses);
    setTimeout(() => this.#losses.delete(p), 10_000).unref();
    return Math.min(2_000, 50 * 2 ** Math.min(losses, 6)) * (0.5 + Math.random());
  }
}
