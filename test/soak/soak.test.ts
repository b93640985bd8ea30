/** The soak in short: what is missed or doubled shows at once, what leaks in a day only in the long form. */
import { expect, test } from 'vitest';
import { growth, soak } from './run.ts';

test(
  'synced by schedule by three workers: none missed, none doubled, nothing piles up',
  { timeout: 400_000 },
  async () => {
    const { samples, ...result } = await soak({
      connections: 15,
      projects: 3,
      workers: 3,
      seconds: 30,
      everySeconds: 5,
      leastRuns: 40,
    });
    expect(result).toMatchObject({ doubled: [], never: 0, states: { complete: result.runs } });
    expect(result.runs).toBeGreaterThanOrEqual(40);
    // the scheduler looks every second; a machine that does other things may come to it late
    expect(result.latestSeconds).toBeLessThan(60);
    for (const n of [0, 1, 2]) expect(growth(samples, ({ handles }) => handles[n] ?? 0)).toBeLessThan(1);
    // pools fill in so short a time, and no further than to their size
    expect(Math.max(...samples.map(({ sessions }) => sessions))).toBeLessThan(100);
  },
);
