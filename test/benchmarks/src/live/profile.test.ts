import { expect, test } from 'vitest';
import { summarize } from './profile.ts';

const frame = (functionName: string, url = '', lineNumber = 0) => ({ functionName, url, lineNumber });
const NODES = [
  { id: 1, callFrame: frame('(idle)') },
  { id: 2, callFrame: frame('parse', 'file:///app/node_modules/zod/v4/core/schemas.js', 9) },
  { id: 3, callFrame: frame('parse', 'file:///app/node_modules/zod/v4/core/schemas.js', 9) },
  {
    id: 4,
    children: [5, 8],
    callFrame: frame('set', 'file:///app/libs/messaging/src/folding-publisher.ts', 1),
  },
  { id: 5, callFrame: frame('publish', 'file:///app/node_modules/@nats-io/nats-core/lib/protocol.js', 4) },
  { id: 6, callFrame: frame('(garbage collector)') },
  { id: 7, callFrame: frame('writev') },
  { id: 8, callFrame: frame('set', 'file:///app/libs/messaging/src/folding-publisher.ts', 1) },
];
const profile = {
  nodes: NODES,
  samples: [1, 2, 3, 4, 5, 6, 7, 2, 8],
  timeDeltas: [5000, 1000, 2000, 3000, 500, 700, 900, 4000, 200],
};

test('a function has the time of all places from which it was called, and its package that of all its functions', () => {
  const { packages, functions } = summarize(profile);
  expect(functions[0]).toEqual({ name: 'parse zod schemas.js:10', ms: 7 });
  expect(packages).toEqual([
    { name: 'zod', ms: 7 },
    { name: 'libs/messaging', ms: 3.2 },
    { name: '(native)', ms: 0.9 },
    { name: '(garbage collector)', ms: 0.7 },
    { name: '@nats-io/nats-core', ms: 0.5 },
  ]);
});

test('time without work is no share of the work', () => {
  const { busyMs, totalMs, functions } = summarize(profile);
  expect(totalMs).toBeCloseTo(17.3);
  expect(busyMs).toBeCloseTo(12.3);
  expect(functions.some(({ name }) => name === '(idle)')).toBe(false);
});

test('a function of ours has the time of what it calls, and once where it calls itself', () => {
  expect(summarize(profile).calls).toEqual([
    { name: 'set libs/messaging folding-publisher.ts:2', ms: expect.closeTo(3.7) },
  ]);
});
