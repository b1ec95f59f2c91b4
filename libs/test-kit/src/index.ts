export { declarationOf, neighbours, TEMPLATE_DIGEST } from './declaration.ts';
export { defaultPolicy } from './default-policy.ts';
export { eventually } from './eventually.ts';
export { onConsumer } from './on-consumer.ts';
export { type Facts, READY_FACTS, type SourceFacts } from './ready-facts.ts';
export { decision, publishDecision } from './released-decision.ts';
export { jsonOf, shardedStreams, startTestBroker, stored, type TestBroker } from './test-broker.ts';
