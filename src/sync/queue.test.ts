import { describe, expect, test } from 'vitest';
import type { Write, Written } from '../warehouse/write.ts';
import { weightOf, WriteQueue } from './queue.ts';

/** A page of rows of a kilobyte each, or of what is given. */
const page = (rows: number, kilobytes = rows): Write => ({
  type: 'page',
  page: { stream: 's', rows, text: Buffer.alloc(kilobytes * 1024), parts: [], refers: new Map(), gaps: [] },
});
const cursor: Write = { type: 'cursor', stream: 's', slice: 'x', cursor: { at: 1 } };
const nothing: Written = { counts: new Map(), settlements: [] };
const rowsIn = (batch: readonly Write[]): number => batch.reduce((sum, write) => sum + weightOf(write), 0);

describe('the queue between readers and the writer', () => {
  test('writes in order, and what gathered meanwhile in one transaction', async () => {
    const batches: (readonly Write[])[] = [];
    const gate = Promise.withResolvers<undefined>();
    const queue = new WriteQueue(
      async (batch) => {
        batches.push(batch);
        if (batches.length === 1) await gate.promise;
        return nothing;
      },
      () => undefined,
    );
    const first = page(1);
    await queue.push(first);
    await Promise.resolve();
    await Promise.resolve();
    const rest = [page(2), cursor, page(3)];
    for (const write of rest) await queue.push(write);
    gate.resolve(undefined);
    await queue.drain();
    expect(batches).toEqual([[first], rest]);
  });

  test('holds readers back when much waits, and lets them go on when it is written', async () => {
    let written = 0;
    const gate = Promise.withResolvers<undefined>();
    const queue = new WriteQueue(
      async (batch) => {
        await gate.promise;
        written += rowsIn(batch);
        return nothing;
      },
      () => undefined,
    );
    for (let n = 0; n < 4; n += 1) await queue.push(page(2000));
    let accepted = false;
    const fifth = queue.push(page(2000)).then(() => (accepted = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(accepted).toBe(false);
    gate.resolve(undefined);
    await fifth;
    await queue.drain();
    expect(written).toBe(10_000);
  });

  test('a page larger than the limit is taken when nothing else waits', async () => {
    const sizes: number[] = [];
    const queue = new WriteQueue(
      (batch) => {
        sizes.push(rowsIn(batch));
        return Promise.resolve(nothing);
      },
      () => undefined,
    );
    await queue.push(page(100_000));
    await queue.drain();
    expect(sizes).toEqual([100_000]);
  });

  test('rows count by their kilobytes, short ones by their number: what waits is bounded in bytes', async () => {
    const long = (kilobytes: number, rows = 10): Write => page(rows, kilobytes);
    const batches: number[] = [];
    const gate = Promise.withResolvers<undefined>();
    const queue = new WriteQueue(
      async (batch) => {
        batches.push(batch.length);
        await gate.promise;
        return nothing;
      },
      () => undefined,
    );
    await queue.push(long(5000));
    let accepted = false;
    const second = queue.push(long(5000)).then(() => (accepted = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(accepted).toBe(false);
    gate.resolve(undefined);
    await second;
    for (let n = 0; n < 3; n += 1) await queue.push(long(1));
    await queue.drain();
    expect(batches.reduce((a, b) => a + b, 0)).toBe(5);
    expect(weightOf(long(5000))).toBe(5000);
    expect(weightOf(long(1))).toBe(3);
    expect(weightOf(long(1, 400))).toBe(100);
  });

  test('a failed batch fails every later push, and nothing after it is written', async () => {
    let batches = 0;
    const queue = new WriteQueue(
      () => {
        batches += 1;
        return Promise.reject(new Error('disk full'));
      },
      () => undefined,
    );
    await queue.push(page(1));
    await expect(queue.drain()).rejects.toThrow('disk full');
    await expect(queue.push(page(1))).rejects.toThrow('disk full');
    expect(batches).toBe(1);
  });
});
