import { expect, test } from 'vitest';
import { defineProbe, type Probe } from './define-probe.ts';

const sound: Probe<string> = {
  name: 'status-page',
  layer: 'provider_health',
  facts: ['reachable', 'errorClass'],
  targets: ({ aiProvider }) => (aiProvider ? [{ source: aiProvider, params: aiProvider }] : []),
  look: async () => ({ answers: [] }),
  cadence: () => ({ intervalMs: 1, failingMs: 1, unknownMs: 1 }),
};

test('a probe of facts that its layer knows is one', () => {
  expect(defineProbe(sound)).toBe(sound);
});

test.each([
  [{ facts: ['reachable', 'colour'] }, 'probe `status-page`: `colour` is no fact of provider_health'],
  [{ facts: [] }, 'probe `status-page` tells no fact'],
  [{ timeoutMs: 0 }, 'probe `status-page`: timeoutMs is a whole number from 1 on, not `0`'],
  [{ tries: 1.5 }, 'probe `status-page`: tries is a whole number from 1 on, not `1.5`'],
  [{ atATime: -1 }, 'probe `status-page`: atATime is a whole number from 1 on, not `-1`'],
])('a mistake in a probe is named when it is defined: %j', (change, message) => {
  expect(() => defineProbe({ ...sound, ...change })).toThrow(new TypeError(message));
});
