import { runService } from '@orchestrate/service-kit';
import { startTruthAggregator } from './app.ts';

await runService({ name: 'truth-aggregator', environment: {}, start: startTruthAggregator });
