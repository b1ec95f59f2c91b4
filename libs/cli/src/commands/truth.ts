import {
  CANONICAL_BLOCKER_LAYERS,
  type CanonicalRuntimeTruth,
  REASON_SENTENCES,
  RISKS,
  TruthReading,
} from '@orchestrate/canon';
import { readTruthHistory, type StoredTruth } from '@orchestrate/client';
import { Command } from 'commander';
import { idArgument, withExample } from '../arguments.ts';
import { globalOptions, withBroker } from '../connect.ts';
import { OUTPUTS } from '../outputs.ts';
import {
  ageOf,
  colours,
  durationOf,
  printJson,
  printLine,
  printTable,
  shortDigest,
  stateWithSign,
  timeOf,
} from '../print.ts';
import { TenantView } from '../views/tenant-view.ts';

export function truthCommand(): Command {
  const command = new Command('truth')
    .description('the one operational truth of a tenant: fingerprints, epoch, mode with its causes, validity')
    .argument('<tenant>', 'its id', idArgument)
    .option('--history', 'what changed from truth to truth, oldest first, as far as the stream holds it')
    .action(truth);
  return withExample(command, 'truth aurora', 'truth aurora --history', 'truth aurora --json');
}

async function truth(tenantId: string, options: { history?: boolean }, command: Command): Promise<void> {
  await withBroker(command, async (broker) => {
    const view = await TenantView.read(broker, tenantId);
    const { json } = globalOptions(command);
    const nowMs = Date.now();
    const { asOfMs } = view;
    const shown = options.history ? await readTruthHistory(broker, tenantId) : [view.stored];
    if (json) {
      for (const { seq, storedAtMs, record } of shown)
        printJson(OUTPUTS.truth, { seq, storedAtMs, asOfMs, fresh: view.isFresh(nowMs), truth: record });
    } else if (options.history) printHistory(shown);
    else printTruth(view, nowMs);
  });
}

function printTruth(view: TenantView, nowMs: number): void {
  const { stored, asOfMs } = view;
  const { truth: known, seq } = stored;
  const fresh = view.isFresh(nowMs);
  const age = asOfMs === null ? 'not marked yet' : `as of ${ageOf(asOfMs, nowMs)} ago`;
  printLine(
    `${colours.bold(known.tenantId)}   epoch ${known.epoch}   TRUTH/${seq}   built ${timeOf(known.builtAtMs)} UTC`,
  );
  printLine(`fingerprint  ${known.fingerprint}`);
  printLine(`policy       ${known.policyDigest}`);
  const freshness = fresh
    ? `fresh, ${age}`
    : colours.yellow(`stale, ${age}: until it is fresh again everything reads unknown / truth_stale`);
  printLine(`freshness    ${freshness}`);
  printLine();
  const reading = new TruthReading(known, fresh, nowMs);
  printTable(
    ['LAYER', 'STATE', 'REASON', 'SOURCES', 'VALID FOR', 'FINGERPRINT'],
    CANONICAL_BLOCKER_LAYERS.map((layer) => {
      const { sources, validUntilMs } = known.layers[layer];
      const { state, reason } = reading.layer(layer);
      return [
        layer,
        stateWithSign(state),
        reason,
        sources
          .filter((source) => source.enabled)
          .map(({ source }) => source)
          .join(', ') || '-',
        validUntilMs === null
          ? 'folded'
          : validUntilMs <= nowMs
            ? 'expired'
            : durationOf(validUntilMs - nowMs),
        shortDigest(known.layerFingerprints[layer]),
      ];
    }),
  );
  printLine();
  printMode(known);
  for (const { layer, source, fact, reason } of known.unknowns)
    printLine(`unknown      ${layer}/${source} ${fact}: ${reason} (${REASON_SENTENCES[reason].means})`);
}

/** The strictest of four floors; risks are what makes the fourth. */
function printMode({ mode }: CanonicalRuntimeTruth): void {
  const { requested, sectorFloor, operatorFloor, riskFloor, resolved, risks } = mode;
  printLine(`mode         ${colours.bold(resolved)}`);
  printLine(
    `  because    tenant ${requested}, sector ${sectorFloor}, operator ${operatorFloor}, risk ${riskFloor}`,
  );
  for (const { risk, level, phase } of risks)
    printLine(`  risk       ${risk}: ${level}, ${phase}, from ${RISKS[risk].layer}`);
}

function printHistory(history: readonly StoredTruth[]): void {
  printTable(
    ['EPOCH', 'TIME (UTC)', 'TRUTH', 'MODE', 'FINGERPRINT', 'CHANGED'],
    history.map(({ truth: known, seq, storedAtMs }, at) => {
      const before = history[at - 1]?.truth;
      return [
        String(known.epoch),
        timeOf(storedAtMs),
        String(seq),
        known.mode.resolved,
        shortDigest(known.fingerprint),
        before ? changed(before, known) : 'first that the stream holds',
      ];
    }),
  );
}

function changed(before: CanonicalRuntimeTruth, after: CanonicalRuntimeTruth): string {
  const layers = CANONICAL_BLOCKER_LAYERS.filter(
    (layer) => before.layerFingerprints[layer] !== after.layerFingerprints[layer],
  ).map((layer) => {
    const [from, to] = [before.layers[layer], after.layers[layer]];
    return from.state === to.state ? `${layer} ${to.state}: facts` : `${layer} ${from.state} → ${to.state}`;
  });
  const mode =
    before.mode.resolved === after.mode.resolved
      ? []
      : [`mode ${before.mode.resolved} → ${after.mode.resolved}`];
  const policy = before.policyDigest === after.policyDigest ? [] : ['policy'];
  return [...layers, ...mode, ...policy].join(', ') || 'only how long it is valid';
}
