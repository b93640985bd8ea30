import { defineConfig } from 'vitest/config';

/** Tests in a real browser, one file after another: a browser wants the whole machine. */
export default defineConfig({
  test: {
    include: ['test/browser/**/*.test.ts'],
    globalSetup: ['test/browser/build.ts'],
    fileParallelism: false,
    retry: 1,
    testTimeout: 120_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 30_000 } },
  },
});
