import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { LayerCondition } from '@orchestrate/canon';
import { readPolicyFile } from '@orchestrate/client';
import { evidenceObserved } from '@orchestrate/contracts';
import { LayerSource } from '@orchestrate/layer-machines';
import { decodeStrict } from '@orchestrate/messaging';
import { createEndpointHandler, handlers, type ObjectContext, object, serde } from '@restatedev/restate-sdk';

/**
 * The fold of layer-runtime as a virtual object, one for each source of each layer of each tenant: the same message,
 * parsed as strictly, told to the same machine. Its condition is the object's state. Its own process, as a service is.
 */
const policy = readPolicyFile();
let told = 0;

const fold = object({
  name: 'LayerFold',
  handlers: {
    observe: handlers.object.exclusive(
      // Nothing of an invocation is kept once it is done: what it would cost is no part of the comparison.
      { input: serde.binary, journalRetention: 0 },
      async (context: ObjectContext, data: Uint8Array): Promise<void> => {
        const { tenantId, layer, source, facts } = decodeStrict(evidenceObserved, data);
        const known = await context.get<LayerCondition>('condition');
        const held = known
          ? LayerSource.restore(known)
          : LayerSource.create({ tenantId, layer, source, enabled: true });
        const atMs = Math.max(...facts.map(({ observedAtMs }) => observedAtMs));
        const observations = facts.map((fact) => ({
          fact: fact.fact,
          observedAtMs: fact.observedAtMs,
          outcome: 'value' in fact ? { value: fact.value } : { unknown: fact.unknown },
        }));
        context.set('condition', held.observe(observations, policy, atMs).condition(policy, atMs));
        context.set('told', ((await context.get<number>('told')) ?? 0) + 1);
        told++;
      },
    ),
  },
});

const server = createServer(createEndpointHandler({ services: [fold] }));
server.listen(0, '127.0.0.1', () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
process.on('message', () => process.send?.({ told }));
process.on('disconnect', () => process.exit(0));
