import fc from 'fast-check';
import { expect, test } from 'vitest';
import { relay, type Relay } from './relay.ts';

/** A relay whose parts end when they are told to. */
function steered(items: readonly number[], options: Partial<Relay<number>> = {}) {
  const begun: { pass: string; mode: string; part: readonly number[]; end: () => void; fail: (e: Error) => void }[] =
    [];
  const done = relay(items, {
    passes: ['first', 'second'],
    atOnce: 8,
    modeOf: () => 'full',
    cut: (pass, gathered) => {
      const size = pass === 'first' ? 1 : 3;
      return Array.from({ length: Math.ceil(gathered.length / size) }, (_, i) =>
        gathered.slice(i * size, (i + 1) * size),
      );
    },
    run: async (pass, mode, part) => {
      const { promise, resolve, reject } = Promise.withResolvers<undefined>();
      begun.push({ pass, mode, part, end: () => resolve(undefined), fail: reject });
      await promise;
    },
    ...options,
  });
  done.catch(() => undefined);
  const end = async (part: readonly number[], pass = 'first'): Promise<void> => {
    begun.find((one) => one.pass === pass && String(one.part) === String(part))!.end();
    await settled();
  };
  const second = (): (readonly number[])[] => begun.filter(({ pass }) => pass === 'second').map(({ part }) => part);
  return { done, begun, end, second };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a full part begins while others are still in the pass before; the rest begins when nothing more will come', async () => {
  const { done, end, second } = steered([1, 2, 3, 4, 5]);
  await settled();
  for (const item of [4, 2, 1]) await end([item]);
  expect(second()).toEqual([]); // three fill a part, but only a fourth shows that it is not the last
  await end([5]);
  expect(second()).toEqual([[1, 2, 4]]);
  await end([3]);
  expect(second()).toEqual([
    [1, 2, 4],
    [3, 5],
  ]);
  await end([1, 2, 4], 'second');
  await end([3, 5], 'second');
  await done;
});

test('what a pass leaves out goes on to the next one; what is read in another way is in parts of its own', async () => {
  const { done, begun, end } = steered([1, 2, 3, 4], {
    modeOf: (pass, item) => (pass === 'first' ? (item > 2 ? 'full' : null) : item % 2 ? 'full' : 'recent'),
  });
  await settled();
  expect(begun.map(({ part }) => part)).toEqual([[3], [4]]);
  await end([3]);
  await end([4]);
  const last = begun.slice(2).map(({ mode, part }) => [mode, part]);
  expect(last).toEqual([
    ['full', [1, 3]],
    ['recent', [2, 4]],
  ]);
  for (const { end: finish } of begun) finish();
  await done;
});

test('the first failure is thrown, and nothing begins after it', async () => {
  const { done, begun, end } = steered([1, 2, 3, 4, 5], { atOnce: 4 });
  await settled();
  expect(begun).toHaveLength(4);
  begun[1]!.fail(new Error('gone'));
  await expect(done).rejects.toThrow('gone');
  begun[3]!.fail(new Error('late'));
  await end([1]);
  await end([3]);
  expect(begun).toHaveLength(4);
});

test('every item runs through its passes once, in their order, in parts that cut made', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ modes: fc.tuple(...[0, 1, 2].map(() => fc.constantFrom(null, 'full', 'recent'))) }), {
        maxLength: 30,
      }),
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1 }),
      async (items, size, turns) => {
        const seen = new Map<(typeof items)[number], string[]>(items.map((item) => [item, []]));
        let ran = 0;
        await relay(items, {
          passes: ['0', '1', '2'],
          atOnce: 3,
          modeOf: (pass, item) => item.modes[Number(pass)] ?? null,
          cut: (_, gathered) =>
            Array.from({ length: Math.ceil(gathered.length / size) }, (_, i) =>
              gathered.slice(i * size, (i + 1) * size),
            ),
          run: async (pass, mode, part) => {
            for (let turn = turns[ran++ % turns.length] ?? 0; turn > 0; turn -= 1) await Promise.resolve();
            for (const item of part) seen.get(item)?.push(`${pass} ${mode}`);
          },
        });
        for (const [item, passes] of seen) {
          expect(passes).toEqual(item.modes.flatMap((mode, i) => (mode === null ? [] : [`${i} ${mode}`])));
        }
      },
    ),
  );
});
