import { LAYER_EVENTS, MANAGED_EXECUTION_STATES } from '@orchestrate/canon';
import { expect, test } from 'vitest';
import { REACTIONS } from './reaction-table.ts';

// One letter an event, in the order of the canon: f folds, . ignores.
const EXPECTED = {
  //                   check      set run win adv prob  op c
  ready: /*        */ 'ffffff.' + '.f' + 'fff' + 'ff' + 'f.' + '..' + 'ff..',
  executing: /*    */ 'ffffff.' + '.f' + '.ff' + 'ff' + 'f.' + '..' + 'ff..',
  cooling_down: /* */ 'ffffff.' + '.f' + '.ff' + 'ff' + 'ff' + '.f' + 'ff..',
  probation: /*    */ 'ffffff.' + '.f' + 'fff' + 'ff' + 'f.' + 'ff' + 'ff..',
  degraded: /*     */ 'ffffff.' + '.f' + 'fff' + 'ff' + 'f.' + '..' + 'ff..',
  grace: /*        */ 'ffffff.' + '.f' + 'fff' + 'ff' + 'f.' + '..' + 'ff..',
  unknown: /*      */ 'fffffff' + 'ff' + '.ff' + 'ff' + 'f.' + '.f' + 'ff.f',
  verifying: /*    */ 'fffffff' + 'ff' + '.ff' + 'ff' + 'f.' + '.f' + 'ff..',
  provisioning: /* */ 'fffffff' + 'ff' + '.ff' + 'ff' + 'f.' + '..' + 'ff..',
  scheduled: /*    */ 'ffffff.' + '.f' + '.ff' + 'ff' + 'f.' + '.f' + 'ff..',
  client_action: /**/ 'ffffff.' + 'ff' + '.ff' + 'ff' + 'ff' + '..' + 'ff.f',
  operator_review: 'ffffff.' + '.f' + '.ff' + 'ff' + 'ff' + '..' + 'fff.',
  internal_fault: /**/ 'fffffff' + 'ff' + '.ff' + 'ff' + 'ff' + '..' + 'ff..',
};

test('thirteen states say of each of twenty-two events whether they hear it [L13]', () => {
  const found = Object.fromEntries(
    MANAGED_EXECUTION_STATES.map((state) => [
      state,
      LAYER_EVENTS.map((event) => (REACTIONS[state][event] === 'fold' ? 'f' : '.')).join(''),
    ]),
  );
  expect(found).toEqual(EXPECTED);
  for (const state of MANAGED_EXECUTION_STATES) {
    expect(new Set(Object.keys(REACTIONS[state]))).toEqual(new Set(LAYER_EVENTS));
  }
});
