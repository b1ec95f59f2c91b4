export { declarationOf, neighbours } from './declaration.ts';
export { eventually } from './eventually.ts';
export { decision, publishDecision } from './released-decision.ts';
export { jsonOf, startTestBroker, stored, type TestBroker } from './test-broker.ts';
