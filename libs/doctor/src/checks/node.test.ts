import { expect, test } from 'vitest';
import { surroundings } from '../surroundings.test-support.ts';
import { checkNode, judgeNode } from './node.ts';

test.each([
  ['25.9.0', 'fail'],
  ['26.0.0', 'ok'],
  ['27.1.0', 'ok'],
])('Node %s is %s', (version, status) => {
  expect(judgeNode({ version, path: '/bin/node', pinned: '26.10.0' })).toMatchObject({ status });
});

test('the Node of this run and the pinned one are told', async () => {
  expect((await checkNode(surroundings())).data).toEqual({
    version: process.versions.node,
    path: process.execPath,
    pinned: expect.stringMatching(/^26\.\d+\.\d+$/),
  });
  expect((await checkNode(surroundings({ root: '/nowhere' }))).data.pinned).toBeNull();
});
