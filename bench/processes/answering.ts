/** Calls from the benchmark to a process of its own, over the channel of `fork`. */

/** A process that answers calls: what it said when it was ready, its operations, and its end. */
export interface Call {
  readonly id: number;
  readonly op: string;
  readonly input: unknown;
}

export type Reply = { readonly id: number } & ({ readonly result: unknown } | { readonly error: string });

/** Answers calls until the benchmark hangs up; says first that it is ready, and what the benchmark must know. */
export function answer(ops: object, ready: unknown): void {
  process.on('message', ({ id, op, input }: Call) => {
    const run = ops[op as keyof typeof ops] as (input: unknown) => unknown;
    Promise.resolve()
      .then(() => run(input))
      .then(
        (result): Reply => ({ id, result }),
        (error: unknown): Reply => ({
          id,
          error: error instanceof Error ? (error.stack ?? error.message) : String(error),
        }),
      )
      .then((reply) => process.send?.(reply))
      .catch(() => process.exit(1));
  });
  process.on('disconnect', () => process.exit(0));
  process.send?.({ id: 0, result: ready });
}
