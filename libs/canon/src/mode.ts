import type { LayerRisk } from './condition.ts';
import { GOVERNANCE_MODES, type GovernanceMode } from './words.ts';

/** The modes that are at least as strict as `F`: to relax below a floor does not compile. */
export type ModeAtOrAbove<F extends GovernanceMode> = {
  autonomous: GovernanceMode;
  supervised: 'supervised' | 'approval_required' | 'draft_only';
  approval_required: 'approval_required' | 'draft_only';
  draft_only: 'draft_only';
}[F];

export const strictness = (mode: GovernanceMode): number => GOVERNANCE_MODES.indexOf(mode);

/** The stricter of a floor and another mode; its type says that the floor holds. */
export function escalate<F extends GovernanceMode>(floor: F, to: GovernanceMode): ModeAtOrAbove<F> {
  return (strictness(to) > strictness(floor) ? to : floor) as ModeAtOrAbove<F>;
}

/** One high risk asks for a person, two or more allow drafts only, two medium ones ask for review afterwards. */
export function riskFloor(risks: readonly LayerRisk[]): GovernanceMode {
  const high = risks.filter((risk) => risk.level === 'high').length;
  const medium = risks.filter((risk) => risk.level === 'medium').length;
  if (high >= 2) return 'draft_only';
  if (high === 1) return 'approval_required';
  return medium >= 2 ? 'supervised' : 'autonomous';
}

export interface ResolvedMode<F extends GovernanceMode = GovernanceMode> {
  readonly requested: F;
  readonly sectorFloor: GovernanceMode;
  readonly operatorFloor: GovernanceMode;
  readonly riskFloor: GovernanceMode;
  readonly resolved: ModeAtOrAbove<F>;
  readonly risks: readonly LayerRisk[];
}

/** max(tenant, sector, operator, risk): the tenant's choice is the floor and risk only escalates. */
export function resolveMode<F extends GovernanceMode>(input: {
  readonly requested: F;
  readonly sectorFloor: GovernanceMode;
  readonly operatorFloor: GovernanceMode;
  readonly risks: readonly LayerRisk[];
}): ResolvedMode<F> {
  const floor = riskFloor(input.risks);
  const strictest = [input.sectorFloor, input.operatorFloor, floor].reduce<GovernanceMode>(
    (mode, other) => escalate(mode, other),
    input.requested,
  );
  return { ...input, riskFloor: floor, resolved: escalate(input.requested, strictest) };
}
