import fc from 'fast-check';

/** A mutant that a property can find is found in a few runs; nobody reads the smallest example of it. */
fc.configureGlobal({ numRuns: 20, endOnFailure: true });
