import { CANONICAL_BLOCKER_LAYERS, partitionOf, type TruthSource } from '@orchestrate/canon';
import { readTenantConfig, readTruth, readTruthMark } from '@orchestrate/client';
import { Command } from 'commander';
import { globalOptions, withBroker } from '../connect.ts';
import { ageOf, colours, inBucketColour, printJson, printLine, printTable } from '../print.ts';

export function readinessCommand(): Command {
  return new Command('readiness')
    .description('the nine layers of a tenant: state, bucket, owner, reason and facts; honest unknowns apart')
    .argument('<tenant>')
    .addHelpText('after', '\nExample:\n  orchestrate readiness aurora')
    .action(readiness);
}

async function readiness(tenantId: string, _options: object, command: Command): Promise<void> {
  await withBroker(command, async (broker) => {
    const stored = await readTruth(broker, tenantId);
    if (!stored) {
      const config = await readTenantConfig(broker, tenantId);
      throw new Error(
        config
          ? `there is no truth of \`${tenantId}\` yet: is the platform up? (orchestrate status)`
          : `there is no tenant \`${tenantId}\`: apply its tenant file first`,
      );
    }
    const mark = await readTruthMark(broker, partitionOf(tenantId));
    const { truth, seq } = stored;
    if (globalOptions(command).json) {
      printJson({ seq, asOfMs: mark?.asOfMs ?? null, ...truth });
      return;
    }
    const nowMs = Date.now();
    printLine(
      `${colours.bold(tenantId)}  mode ${truth.mode.resolved}  epoch ${truth.epoch}  ${truth.fingerprint.slice(0, 12)}  ${mark?.asOfMs ? `as of ${ageOf(mark.asOfMs, nowMs)} ago` : 'not marked yet'}`,
    );
    const rows = CANONICAL_BLOCKER_LAYERS.map((layer) => {
      const { owner, state, bucket, reason, sources } = truth.layers[layer];
      const facts = sources.filter((source) => source.enabled).map((source) => factsOf(source, nowMs));
      return [layer, owner, inBucketColour(bucket, state), bucket, reason, facts.join('\n')];
    });
    printTable(['LAYER', 'OWNER', 'STATE', 'BUCKET', 'REASON', 'FACTS'], rows);
    if (truth.mode.risks.length > 0) {
      printLine(
        `risks: ${truth.mode.risks.map(({ risk, level, phase }) => `${risk} (${level}, ${phase})`).join(', ')}`,
      );
    }
    if (truth.unknowns.length > 0) {
      printLine('honest unknowns:');
      for (const { layer, source, fact, reason } of truth.unknowns)
        printLine(`  ${layer}/${source} ${fact}: ${reason}`);
    }
  });
}

/** Only what stands out: what fails or is unknown, else how many facts pass and how old the oldest is. */
function factsOf(source: TruthSource, nowMs: number): string {
  const notable = source.facts.filter(
    (fact) => fact.verdict === 'fail' || (fact.required && fact.verdict === 'unknown'),
  );
  const name = source.source === 'main' ? '' : `${source.source}: `;
  if (notable.length > 0) {
    return `${name}${notable.map((fact) => `${fact.fact} ${fact.verdict} (${fact.reason}, ${ageOf(fact.observedAtMs, nowMs)})`).join(', ')}`;
  }
  const passing = source.facts.filter((fact) => fact.verdict === 'pass');
  const oldest = passing.flatMap((fact) => fact.observedAtMs ?? []);
  return `${name}${passing.length} pass${oldest.length > 0 ? `, oldest ${ageOf(Math.min(...oldest), nowMs)}` : ''}`;
}
