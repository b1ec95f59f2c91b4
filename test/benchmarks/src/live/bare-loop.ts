import { partitionOf } from '@orchestrate/canon';
import { decisionRecorded } from '@orchestrate/contracts';
import { connectBroker, StreamFollower } from '@orchestrate/messaging';

/** As long as the record of an approval is. */
const RECORD_BYTES = 6_800;

/**
 * What stands in the place of dispatch-governance to see what is left when nothing is judged: each request is read, and
 * as many bytes as a record has are written behind the record before of the same tenant. Nothing is parsed, looked up,
 * checked or kept.
 */
async function main(): Promise<void> {
  const broker = await connectBroker({ url: process.env.NATS_URL!, name: 'bare-loop' });
  const chains = new Map<string, { lastSeq: number; written: Promise<void> }>();
  const { state } = await broker.jsm.streams.info('REQUESTS');
  const range = { stream: 'REQUESTS', filters: ['dispatch.*.*.*'], fromSeq: state.last_seq + 1 } as const;
  const follower = await StreamFollower.start(broker, range, ({ subject }) => {
    const [, p, tenantId, dispatchId] = subject.split('.') as [string, string, string, string];
    const chain = chains.getOrInsertComputed(tenantId, () => ({ lastSeq: 0, written: Promise.resolve() }));
    const write = async () => {
      const record = `{"dispatchId":"${dispatchId}","rest":"`;
      const data = Buffer.from(`${record.padEnd(RECORD_BYTES - 2, 'x')}"}`);
      const target = decisionRecorded.subject({ p: partitionOf(tenantId), tenantId, kind: 'APPROVE' });
      const expect = { lastSeq: chain.lastSeq, subject: `decision.${p}.${tenantId}.*` };
      chain.lastSeq = (await broker.publisher.publish(target, data, { expect })).seq;
    };
    chain.written = chain.written.then(write);
  });
  process.once('SIGTERM', () => process.exit(0));
  process.once('disconnect', () => process.exit(1));
  process.send!({ healthPort: 0 });
  await follower.done;
}

await main();
