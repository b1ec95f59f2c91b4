import { buildTruth, type LayerCondition, type Policy, policyDigestOf } from '@orchestrate/canon';
import { LayerSource } from '@orchestrate/layer-machines';
import { type Facts, READY_FACTS, type SourceFacts } from '@orchestrate/test-kit';
import { evidenceOf, type Prepared } from './tenant-facts.ts';

/** A source that goes to and fro between two answers, each of which makes another truth. */
interface Flip {
  readonly layer: SourceFacts[0];
  readonly source: string;
  readonly answers: readonly [Facts, Facts];
}

const FLIPS: readonly Flip[] = [
  {
    layer: 'billing',
    source: 'main',
    answers: [{ paymentMethod: 'expiring_30d' }, { paymentMethod: 'valid' }],
  },
  { layer: 'sending_domain', source: 'main', answers: [{ dkim: 'weak' }, { dkim: 'valid' }] },
  { layer: 'mailbox', source: 'anna', answers: [{ canReadReplies: false }, { canReadReplies: true }] },
  {
    layer: 'continuity_window',
    source: 'main',
    answers: [
      { 'window.open': false, windowReason: 'out_of_hours' },
      { 'window.open': true, windowReason: 'in_hours' },
    ],
  },
];

/** Told once in each round, as the last of a tenant: no folding can hide it, so its truth comes after all others. */
const LAST: Flip = { layer: 'data', source: 'list', answers: [{ queueReady: 0 }, { queueReady: 100 }] };

export interface FlipMessage extends Prepared {
  readonly tenantId: string;
}

/** What one tenant tells, one after another; told again to the same tenant each changes its truth. */
export class FlipWheel {
  #step = 0;

  next(): SourceFacts {
    const step = this.#step++;
    return facts(FLIPS[step % FLIPS.length]!, Math.floor(step / FLIPS.length));
  }
}

/** Evidence of which every message changes the truth of its tenant, whatever came before it. */
export class Flips {
  readonly #tenants: readonly string[];
  readonly #wheel = new FlipWheel();
  #round = 0;

  constructor(tenants: readonly string[]) {
    this.#tenants = tenants;
  }

  /** The tenants in turn, one message each; at least `count` of them, whole turns. */
  round(count: number): readonly FlipMessage[] {
    const turns = Math.max(1, Math.ceil(count / this.#tenants.length) - 1);
    const messages: FlipMessage[] = [];
    const told = [...Array.from({ length: turns }, () => this.#wheel.next()), facts(LAST, this.#round++)];
    // A millisecond apart and none in the future: an answer has to be younger than the one before it.
    const firstMs = Date.now() - told.length;
    told.forEach((one, turn) => {
      for (const tenantId of this.#tenants) {
        messages.push({ tenantId, ...evidenceOf(tenantId, one, firstMs + turn) });
      }
    });
    return messages;
  }
}

const facts = ({ layer, source, answers }: Flip, time: number): SourceFacts => [
  layer,
  source,
  answers[time % 2]!,
];

/** Throws unless each message of two rounds changes the fingerprint, told one after another to the same rules. */
export function assertEachChanges(policy: Policy): void {
  const policyDigest = policyDigestOf(policy);
  const sources = new Map<string, LayerSource>();
  let atMs = Date.now() - 3_600_000;
  const tell = ([layer, source, told]: SourceFacts): string => {
    atMs += 1000;
    const key = `${layer}/${source}`;
    const before = sources.get(key) ?? LayerSource.create({ tenantId: 'acme', layer, source, enabled: true });
    const observations = Object.entries(told).map(([fact, value]) => ({
      fact,
      observedAtMs: atMs,
      outcome: { value },
    }));
    sources.set(key, before.observe(observations, policy, atMs));
    const conditions: LayerCondition[] = [...sources.values()].map((one) => one.condition(policy, atMs));
    return buildTruth({ tenantId: 'acme', conditions, policy, policyDigest, previous: null, atMs })
      .fingerprint;
  };
  let before = '';
  for (const one of READY_FACTS) before = tell(one);
  const told = [0, 1, 2, 3].flatMap((round) => [
    ...FLIPS.map((flip) => facts(flip, round)),
    facts(LAST, round),
  ]);
  for (const one of told) {
    const now = tell(one);
    if (now === before) throw new Error(`${JSON.stringify(one)} does not change the truth`);
    before = now;
  }
}
