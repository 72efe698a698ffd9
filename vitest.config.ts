import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // End-to-end tests start real processes; two cores are shared between them and the unit tests.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    // What is waited for comes late on a busy machine; the default of a second is a timed test.
    expect: { poll: { timeout: 20_000 } },
  },
});
