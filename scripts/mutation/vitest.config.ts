import { defineConfig } from 'vitest/config';

/** The tests that mutants are run against: those of the canon, but for the sweep that takes seconds. */
export default defineConfig({
  test: {
    include: ['libs/canon/src/**/*.test.ts'],
    exclude: ['libs/canon/src/decide.proofs.test.ts'],
    setupFiles: ['scripts/mutation/fewer-runs.ts'],
    // One worker loads the canon once for all the files of a run, and a run is what a mutant gets.
    isolate: false,
    testTimeout: 60_000,
  },
});
