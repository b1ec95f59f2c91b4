import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
// biome-ignore lint/correctness/useImportExtensions: plain JavaScript; its types are in nats-binary.d.mts
import { debianMirror, findNatsServer } from './nats-binary.mjs';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'nats-binary-'));
});
afterEach(() => rmSync(root, { recursive: true }));

/** Answers `--version`, and counts how often it was asked. */
function fakeServer(name: string, version: string): string {
  const path = join(root, name);
  writeFileSync(path, `#!/bin/sh\necho asked >> ${join(root, 'asked')}\necho 'nats-server: v${version}'\n`);
  chmodSync(path, 0o755);
  return path;
}

test('the named binary comes first, and a second look spawns nothing', () => {
  const path = fakeServer('mine', '2.12.0');
  expect(findNatsServer(root, { NATS_SERVER_BIN: path })).toBe(path);
  expect(findNatsServer(root, { NATS_SERVER_BIN: path })).toBe(path);
  expect(readFileSync(join(root, 'asked'), 'utf8')).toBe('asked\n');
});

test('a named binary that cannot be used is an error, not a reason to take another', () => {
  expect(() => findNatsServer(root, { NATS_SERVER_BIN: '/nowhere' })).toThrow(
    /NATS_SERVER_BIN names `\/nowhere`.*correct it or unset it/,
  );
});

test('one on PATH that is too old is passed over', () => {
  fakeServer('nats-server', '2.10.27');
  expect(findNatsServer(root, { PATH: root })).toBeNull();
});

test.each([
  ['deb822', 'Types: deb\nURIs: http://mirror.test/debian\nSuites: x\n', 'http://mirror.test/debian'],
  [
    'one line',
    'deb [arch=amd64 signed-by=/k] https://a.test/pub/debian/ x main',
    'https://a.test/pub/debian/',
  ],
  [
    'a mirror list',
    'URIs: mirror+file:///etc/apt/mirrors/debian.list',
    'mirror+file:///etc/apt/mirrors/debian.list',
  ],
  [
    'security first',
    'URIs: http://m.test/debian-security\n\nURIs: http://m.test/debian',
    'http://m.test/debian',
  ],
  ['a comment', '# deb http://m.test/debian x main', null],
  ['another distribution', 'deb http://m.test/ubuntu x main', null],
])('the Debian archive is found in apt sources: %s', (_, sources, mirror) => {
  expect(debianMirror(sources)).toBe(mirror);
});
