import { runService } from '@orchestrate/service-kit';
import { startProbes } from './app.ts';
import { environment } from './config.ts';

await runService({ name: 'evidence-probes', environment, start: startProbes });
