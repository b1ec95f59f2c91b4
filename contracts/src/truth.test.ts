import { expect, test } from 'vitest';
import { envelope, truth } from './message.test-support.ts';
import { truthFromWire, truthRecorded } from './truth.ts';

test('a truth comes off the wire as it went on, fingerprint and all [A9]', () => {
  const built = truth();
  const message = JSON.parse(JSON.stringify({ ...envelope(), ...built, inputSeq: 7 }));
  expect(truthFromWire(truthRecorded.lenient.parse(message))).toEqual(built);
});

test('a truth of eight layers is none [T1]', () => {
  const built = truth();
  const { pacing: _pacing, ...layers } = built.layers;
  const { error } = truthRecorded.strict.safeParse({ ...envelope(), ...built, layers, inputSeq: 7 });
  expect(error?.issues.map((issue) => issue.path.join('.'))).toEqual(['layers.pacing']);
});
