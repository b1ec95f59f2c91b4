import { runService } from '@orchestrate/service-kit';
import { startLayerRuntime } from './app.ts';
import { environment } from './config.ts';

await runService({ name: 'layer-runtime', environment, start: startLayerRuntime });
