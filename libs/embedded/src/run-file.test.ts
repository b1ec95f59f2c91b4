import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { attach } from './platform.ts';
import { ownIdentity } from './process-identity.ts';
import { type RunFile, readRunFile, removeRunFile, writeRunFile } from './run-file.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'run-file-'));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const content = (): RunFile => ({
  version: 1,
  ...ownIdentity(),
  startedAt: '2026-01-02T03:04:05.678Z',
  nats: { url: 'nats://127.0.0.1:1', monitoringUrl: 'http://127.0.0.1:2', pid: 1, startTime: '3' },
  services: [{ name: 'layer-runtime', instance: 'layer-runtime-1', pid: null, healthPort: null }],
});

test('what was written is read back, and nothing is left beside it', () => {
  writeRunFile(dataDir, content());
  expect(readRunFile(dataDir)).toEqual(content());
  expect(readdirSync(dataDir)).toEqual(['run.json']);
  removeRunFile(dataDir);
  expect(readRunFile(dataDir)).toBeNull();
});

test('a run file that cannot be understood is named with its problem and the remedy', () => {
  writeFileSync(join(dataDir, 'run.json'), '{"version": 2}');
  expect(() => readRunFile(dataDir)).toThrow(
    /run file `.*run\.json` cannot be read: .*then delete the file/s,
  );
});

test('attaching finds a living platform and ignores the run file of a dead one', () => {
  expect(attach(dataDir)).toBeNull();
  writeRunFile(dataDir, content());
  expect(attach(dataDir)).toBe('nats://127.0.0.1:1');
  writeRunFile(dataDir, { ...content(), startTime: 'another' });
  expect(attach(dataDir)).toBeNull();
});
