#!/usr/bin/env node
// npx puts the pinned Node first; it runs TypeScript as it is.
await import('../src/main.ts');
