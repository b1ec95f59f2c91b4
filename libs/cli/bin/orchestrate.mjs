#!/usr/bin/env node
// The bootstrap installs what is missing and brings the pinned Node, so that this works from any Node from 20 on.
process.argv.splice(2, 0, 'cli');
await import('../../../scripts/bootstrap.mjs');
