import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LayerRisk } from './condition.ts';
import { escalate, type ModeAtOrAbove, resolveMode, riskFloor, strictness } from './mode.ts';
import { GOVERNANCE_MODES, type GovernanceMode, RISK_NAMES, RISKS } from './words.ts';

const named = (level: 'high' | 'medium', count: number): LayerRisk[] =>
  RISK_NAMES.filter((risk) => RISKS[risk].level === level)
    .slice(0, count)
    .map((risk) => ({ risk, level, phase: 'active' }));
const free = { sectorFloor: 'autonomous', operatorFloor: 'autonomous', risks: [] } as const;

test.each<[number, number, GovernanceMode]>([
  [0, 0, 'autonomous'],
  [0, 1, 'autonomous'],
  [0, 2, 'supervised'],
  [0, 9, 'supervised'],
  [1, 0, 'approval_required'],
  [1, 9, 'approval_required'],
  [2, 0, 'draft_only'],
  [17, 9, 'draft_only'],
])('%i high and %i medium risks ask for at least %s [M2]', (high, medium, floor) => {
  const risks = [...named('medium', medium), ...named('high', high)];
  expect(riskFloor(risks)).toBe(floor);
  expect(resolveMode({ ...free, requested: 'autonomous', risks }).resolved).toBe(floor);
});

test('a latched high risk that is being served counts one medium [M4]', () => {
  const serving: LayerRisk = { risk: 'complaint_ge_0_10', level: 'medium', phase: 'serving' };
  expect(riskFloor([serving])).toBe('autonomous');
  expect(riskFloor([serving, ...named('medium', 1)])).toBe('supervised');
});

const mode = fc.constantFrom(...GOVERNANCE_MODES);
const risks = fc
  .tuple(fc.nat(3), fc.nat(3))
  .map(([high, medium]) => [...named('high', high), ...named('medium', medium)]);

test('the resolved mode is the strictest of tenant, sector, operator and risk, and never milder than any [M1]', () => {
  fc.assert(
    fc.property(mode, mode, mode, risks, (requested, sectorFloor, operatorFloor, found) => {
      const { resolved, riskFloor: floor } = resolveMode({
        requested,
        sectorFloor,
        operatorFloor,
        risks: found,
      });
      const all = [requested, sectorFloor, operatorFloor, floor];
      expect(strictness(resolved)).toBe(Math.max(...all.map(strictness)));
    }),
  );
});

test('one risk more, or a stricter floor, never frees a tenant [M2]', () => {
  fc.assert(
    fc.property(mode, mode, mode, risks, risks, (requested, sectorFloor, other, some, more) => {
      const before = resolveMode({ requested, sectorFloor, operatorFloor: 'autonomous', risks: some });
      const after = resolveMode({ requested, sectorFloor, operatorFloor: other, risks: [...some, ...more] });
      expect(strictness(after.resolved)).toBeGreaterThanOrEqual(strictness(before.resolved));
    }),
  );
});

describe('relaxing below a floor does not compile [M3]', () => {
  // Checked by the compiler: an unused @ts-expect-error is an error.
  const accept = <M extends GovernanceMode>(_: M): void => undefined;

  test('escalating is accepted, relaxing is not', () => {
    accept<'approval_required' | 'draft_only'>(escalate('approval_required', 'supervised'));
    // @ts-expect-error a floor of approval_required never yields supervised
    const relaxed: 'supervised' | 'autonomous' = escalate('approval_required', 'supervised');
    expect(relaxed).toBe('approval_required');

    const strictest: 'draft_only' = escalate('draft_only', 'autonomous');
    // @ts-expect-error draft_only cannot be left
    const left: 'autonomous' = escalate('draft_only', 'autonomous');
    expect([strictest, left]).toEqual(['draft_only', 'draft_only']);
  });

  test('what a tenant asked for is the floor of what is resolved', () => {
    const supervised = resolveMode({ ...free, requested: 'supervised' });
    const kept: 'supervised' | 'approval_required' | 'draft_only' = supervised.resolved;
    // @ts-expect-error a tenant that asked for supervision is never autonomous
    const freed: 'autonomous' = supervised.resolved;
    expect([kept, freed]).toEqual(['supervised', 'supervised']);
  });

  test('a mode that only admits what is at or above its floor', () => {
    const drafts: ModeAtOrAbove<'supervised'> = 'draft_only';
    // @ts-expect-error autonomous is below supervised
    const below: ModeAtOrAbove<'supervised'> = 'autonomous';
    expect([drafts, below]).toEqual(['draft_only', 'autonomous']);
  });
});
