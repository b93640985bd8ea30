import { defineConfig } from 'vitest/config';

/** The pictures of the README, made anew by "npm run screenshots". */
export default defineConfig({
  test: {
    include: ['test/browser/readme.ts'],
    globalSetup: ['test/browser/build.ts'],
    testTimeout: 300_000,
    hookTimeout: 180_000,
  },
});
