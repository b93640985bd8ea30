import { defineConfig } from 'vitest/config';

/** Tests against real servers: one file after another, since a server wants the whole machine. */
export default defineConfig({
  test: {
    include: ['test/real/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 600_000,
    hookTimeout: 1_800_000,
    teardownTimeout: 120_000,
  },
});
