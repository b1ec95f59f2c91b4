import { operatorCommanded } from '@orchestrate/contracts';
import { expect, test } from 'vitest';
import { commandMessages } from './operator-commands.ts';

const BY = { actor: 'ann', reasonCode: 'incident' } as const;

test('a command for all tenants goes to each of the 64 partitions', () => {
  const messages = commandMessages({ ...BY, tenantId: '_all', command: 'freeze' }, 1);
  const subjects = messages.map(({ p, message }) => operatorCommanded.subject({ p, ...message }));
  expect(new Set(subjects).size).toBe(64);
  expect(subjects[63]).toBe('operator.63._all.freeze');
  for (const { message } of messages)
    expect(operatorCommanded.strict.safeParse(message).error).toBeUndefined();
});

test.each([
  [{ tenantId: 'acme', command: 'approve', dispatchId: 'd-1' }, '`approve` needs actionDigest'],
  [{ tenantId: 'acme', command: 'reject' }, '`reject` needs dispatchId'],
  [{ tenantId: 'acme', command: 'hold_layer' }, '`hold_layer` needs target'],
  [{ tenantId: '_all', command: 'reject', dispatchId: 'd-1' }, '`reject` is for one tenant'],
  [{ tenantId: '_all', command: 'offboard' }, '`offboard` is for one tenant'],
] as const)('a command that does not say what it is about is refused', (command, message) => {
  expect(() => commandMessages({ ...BY, ...command }, 1)).toThrow(message);
});

test('no message can offboard everyone, whoever writes it', () => {
  const [{ message }] = commandMessages({ ...BY, tenantId: 'acme', command: 'offboard' }, 1) as [
    ReturnType<typeof commandMessages>[number],
  ];
  expect(operatorCommanded.strict.safeParse(message).error).toBeUndefined();
  const { error } = operatorCommanded.strict.safeParse({ ...message, tenantId: '_all' });
  expect(error?.issues).toMatchObject([{ path: ['tenantId'], message: 'tenants leave one by one' }]);
});
