import { runService } from '@orchestrate/service-kit';
import { startDispatchGovernance } from './app.ts';
import { environment } from './config.ts';

await runService({ name: 'dispatch-governance', environment, start: startDispatchGovernance });
