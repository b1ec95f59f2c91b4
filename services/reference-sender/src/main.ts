import { runService } from '@orchestrate/service-kit';
import { startSender } from './app.ts';
import { environment } from './config.ts';

await runService({ name: 'reference-sender', environment, start: startSender });
