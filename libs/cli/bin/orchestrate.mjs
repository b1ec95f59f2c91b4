#!/usr/bin/env node
// npx puts the pinned Node first; it runs TypeScript as it is. What it compiled is kept, for the next start.
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

enableCompileCache(fileURLToPath(new URL('../../../.orchestrate/cache/compile', import.meta.url)));
await import('../src/main.ts');
