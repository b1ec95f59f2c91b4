import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/** Passes two points three times each, and says so if it lives. */
function passes(crashAt: string | undefined) {
  const module = JSON.stringify(join(import.meta.dirname, 'crash-point.ts'));
  const script = `import { crashPoint } from ${module};
    for (let n = 1; n <= 3; n++) { crashPoint('input_received'); crashPoint('before_mark'); process.stdout.write(n + ' '); }`;
  const { ORCHESTRATE_CRASH_AT: _unset, ...env } = process.env;
  const { signal, status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', script],
    { env: crashAt === undefined ? env : { ...env, ORCHESTRATE_CRASH_AT: crashAt }, encoding: 'utf8' },
  );
  return { signal, status, stdout, stderr };
}

test('a process that is not told to die passes every point', () => {
  expect(passes(undefined)).toMatchObject({ status: 0, signal: null, stdout: '1 2 3 ' });
});

test('a process dies where it was told to, at the first time or at the n-th', () => {
  expect(passes('before_mark')).toMatchObject({
    signal: 'SIGKILL',
    stdout: '',
    stderr: 'dies at before_mark\n',
  });
  expect(passes('input_received:3')).toMatchObject({ signal: 'SIGKILL', stdout: '1 2 ' });
  expect(passes('after_mark')).toMatchObject({ status: 0, stdout: '1 2 3 ' });
});

test('a point that does not exist is refused with those that do, so that no test passes for want of a death', () => {
  for (const wrong of ['before_marc', 'before_mark:0', 'before_mark:x']) {
    expect(passes(wrong).stderr).toContain('ORCHESTRATE_CRASH_AT takes one of during_hydration, ');
  }
});
