/** How many queries run at once, over all and for one caller: what comes beyond waits, and a crowd is turned away. */
import { ConnectorError } from '../protocol/errors.ts';

export interface GateLimits {
  readonly overall: number;
  readonly perCaller: number;
  /** Of one caller; more are refused. */
  readonly waiting: number;
}

interface Waiter {
  readonly caller: string;
  readonly enter: () => void;
}

export class QueryGate {
  readonly #limits: GateLimits;
  readonly #running = new Map<string, number>();
  #waiters: Waiter[] = [];

  constructor(limits: GateLimits) {
    this.#limits = limits;
  }

  /** Runs it as soon as there is room; who leaves while it waits gives up the place. */
  async within<T>(caller: string, signal: AbortSignal, run: () => Promise<T>): Promise<T> {
    const leave = await this.enter(caller, signal);
    try {
      return await run();
    } finally {
      leave();
    }
  }

  /** Waits for room; what it returns gives the room back, once. */
  async enter(caller: string, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (!this.#hasRoom(caller)) await this.#wait(caller, signal);
    else this.#count(caller, 1);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#count(caller, -1);
      this.#admit();
    };
  }

  #hasRoom(caller: string): boolean {
    const overall = [...this.#running.values()].reduce((sum, count) => sum + count, 0);
    return overall < this.#limits.overall && (this.#running.get(caller) ?? 0) < this.#limits.perCaller;
  }

  #count(caller: string, change: number): void {
    const count = (this.#running.get(caller) ?? 0) + change;
    if (count === 0) this.#running.delete(caller);
    else this.#running.set(caller, count);
  }

  #wait(caller: string, signal: AbortSignal): Promise<void> {
    if (this.#waiters.filter((waiter) => waiter.caller === caller).length >= this.#limits.waiting) {
      throw new ConnectorError(
        'too_many_requests',
        `${this.#limits.perCaller} of your queries run already and ${this.#limits.waiting} more wait; try again when some have ended.`,
        { retryAfter: 5 },
      );
    }
    return new Promise((resolve, reject) => {
      const give = (): void => {
        this.#waiters = this.#waiters.filter((one) => one !== waiter);
        reject(signal.reason as Error);
      };
      const waiter: Waiter = {
        caller,
        enter: () => {
          signal.removeEventListener('abort', give);
          this.#count(caller, 1);
          resolve();
        },
      };
      signal.addEventListener('abort', give, { once: true });
      this.#waiters.push(waiter);
    });
  }

  /** The first who waits and whom no limit holds back. */
  #admit(): void {
    for (;;) {
      const next = this.#waiters.find(({ caller }) => this.#hasRoom(caller));
      if (!next) return;
      this.#waiters = this.#waiters.filter((one) => one !== next);
      next.enter();
    }
  }
}

/** A page of insights asks for a dozen charts at once, a person for one query: neither shall keep the other waiting. */
export class QueryGates {
  readonly queries = new QueryGate({ overall: 6, perCaller: 2, waiting: 4 });
  readonly exports = new QueryGate({ overall: 3, perCaller: 1, waiting: 2 });
  readonly insights = new QueryGate({ overall: 6, perCaller: 3, waiting: 60 });
}
