import { expect, test } from 'vitest';
import { createLog } from './log.ts';

function logging(write: (log: ReturnType<typeof createLog>) => void): Record<string, unknown>[] {
  const lines: string[] = [];
  const options = { service: 'layer-runtime', instance: 'layer-runtime-1', level: 'info' };
  write(createLog(options, { write: (line: string) => lines.push(line) }));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('a line is bound to its service and instance and has an epoch time', () => {
  const [line] = logging((log) => log.info({ tenantId: 'acme' }, 'hello'));
  expect(line).toEqual({
    level: 30,
    time: expect.any(Number),
    service: 'layer-runtime',
    instance: 'layer-runtime-1',
    tenantId: 'acme',
    msg: 'hello',
  });
});

test('whatever is named like a secret is left out, at any depth', () => {
  const [line] = logging((log) =>
    log.info({
      password: 'a',
      smtp: { auth: { accessToken: 'b', user: 'sender' } },
      headers: [{ Authorization: 'c' }],
      clientSecret: 'd',
    }),
  );
  expect(line).toMatchObject({
    password: '[redacted]',
    smtp: { auth: { accessToken: '[redacted]', user: 'sender' } },
    headers: [{ Authorization: '[redacted]' }],
    clientSecret: '[redacted]',
  });
});

test('an error keeps its message and its cause, and loses the secrets it carries', () => {
  const error = Object.assign(new Error('cannot start', { cause: new Error('no route') }), { token: 'a' });
  const [line] = logging((log) => log.error({ err: error }));
  expect(line?.err).toMatchObject({ type: 'Error', message: 'cannot start: no route', token: '[redacted]' });
});

test('a value that goes round in circles does not take the service down', () => {
  const circle: Record<string, unknown> = { name: 'circle' };
  circle.self = circle;
  expect(logging((log) => log.info({ circle }))).toHaveLength(1);
});
