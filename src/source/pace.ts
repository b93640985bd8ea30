/**
 * How many requests may be in flight: SonarQube has no limit of its own, so its latency says how much it takes. Starts low,
 * grows while answers come as quickly as they did, and backs off when they slow down, or on 429, 5xx and silence.
 */
import pLimit, { type LimitFunction } from 'p-limit';

/** Requests in flight at most, unless the connection's settings say otherwise. */
export const MOST_AT_ONCE = 8;
/**
 * As many as a run begins with. Their latency is what later ones are compared with, so it must not be that of a crowd: a
 * server that takes two at once settles at six when it was begun with three, at nine when with four.
 */
const FIRST_AT_ONCE = 3;
/** Answers may take so many times their best before there are fewer, and so many before there are no more, requests. */
const SLOW = 3;
const FLAT = 2;
/** Below this many milliseconds a difference says more of this machine than of the server. */
const LEAST_MS = 10;
/** How much the last answer counts against those before. */
const SMOOTHING = 0.3;
/** With one request in flight the best is forgotten, slowly: a server that became slower is not held to its past for ever. */
const DRIFT = 1.01;

/** What is known of an answer when it is over. */
export interface Answered {
  /** Answers of one kind take about the same time: endpoint and size. */
  readonly kind: string;
  readonly ms: number;
  /** False: 429, 5xx, a cut connection or no answer in time. */
  readonly ok: boolean;
}

/** The pace of one server as one process sees it; shared by everything in the process that asks this server. */
export class Pace {
  readonly #limit: LimitFunction;
  readonly #best = new Map<string, number>();
  #most: number;
  #smooth = 1;
  /** Answers until the next change: those to what was in flight at the last one say nothing of it. */
  #wait: number;
  /** Doubles until answers slow down for the first time, then grows one by one. */
  #doubling = true;

  /** `start`: what the server took when it was asked last. */
  constructor({ most = MOST_AT_ONCE, start = FIRST_AT_ONCE }: { most?: number; start?: number } = {}) {
    this.#most = Math.max(1, most);
    this.#limit = pLimit(Math.min(Math.max(1, Math.round(start)), this.#most));
    this.#wait = this.target;
  }

  /** Requests that may be in flight now. */
  get target(): number {
    return this.#limit.concurrency;
  }

  /** The ceiling: this process's share of what the connection allows. */
  get most(): number {
    return this.#most;
  }

  set most(most: number) {
    this.#most = Math.max(1, most);
    if (this.target > this.#most) this.#limit.concurrency = this.#most;
  }

  /** Runs when there is room for one more. */
  run<T>(ask: () => Promise<T>): Promise<T> {
    return this.#limit(ask);
  }

  note({ kind, ms, ok }: Answered): void {
    this.#wait -= 1;
    if (!ok) {
      // requests in flight together fail together: that is one sign, not many
      if (this.#wait <= 0 || this.#doubling) this.#change(Math.floor(this.target / 2));
      this.#doubling = false;
      return;
    }
    const best = Math.min(ms, (this.#best.get(kind) ?? Infinity) * (this.target === 1 ? DRIFT : 1));
    this.#best.set(kind, best);
    const ratio = Math.max(ms, LEAST_MS) / Math.max(best, LEAST_MS);
    this.#smooth += (ratio - this.#smooth) * SMOOTHING;
    if (this.#wait > 0) return;
    if (this.#smooth > SLOW) {
      this.#doubling = false;
      this.#change(Math.floor(this.target * 0.75));
    } else if (this.#smooth < FLAT) {
      this.#change(this.#doubling ? this.target * 2 : this.target + 1);
    }
  }

  #change(target: number): void {
    const before = this.target;
    this.#limit.concurrency = Math.min(Math.max(1, target), this.#most);
    this.#wait = Math.max(before, this.target);
  }
}

/** The kind of an answer: its endpoint, and the power of four that its size in bytes comes to. */
export const kindOf = (endpoint: string, bytes: number): string =>
  `${endpoint} ${Math.floor(Math.log2(Math.max(1, bytes)) / 2)}`;
