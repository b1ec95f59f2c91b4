import { expect, test } from 'vitest';
import { z } from 'zod';
import { baseEnvironment, EnvironmentError, parseEnvironment, wholeNumber } from './environment.ts';

const schema = z.object({
  ...baseEnvironment,
  SMTP_URL: z.url({ protocol: /^smtps?$/ }).describe('the address of the mail server'),
  SENDER_CONCURRENCY: wholeNumber(1, 64).default(8),
});

function problemsWith(environment: NodeJS.ProcessEnv): readonly string[] {
  try {
    parseEnvironment(schema, environment);
  } catch (error) {
    if (error instanceof EnvironmentError) return error.problems;
    throw error;
  }
  return [];
}

test('what is not set takes its default', () => {
  expect(parseEnvironment(schema, { SMTP_URL: 'smtp://mail.test' })).toEqual({
    NATS_URL: 'nats://127.0.0.1:4222',
    LOG_LEVEL: 'info',
    HEALTH_HOST: '127.0.0.1',
    HEALTH_PORT: 0,
    SMTP_URL: 'smtp://mail.test',
    SENDER_CONCURRENCY: 8,
  });
});

test('an empty variable counts as not set', () => {
  expect(
    parseEnvironment(schema, { SMTP_URL: 'smtp://mail.test', HEALTH_PORT: '', LOG_LEVEL: '' }),
  ).toMatchObject({
    HEALTH_PORT: 0,
    LOG_LEVEL: 'info',
  });
});

test('every problem is reported together, with the name of its variable and what it takes', () => {
  expect(
    problemsWith({ HEALTH_PORT: '70000', LOG_LEVEL: 'loud', ORCHESTRATE_INSTANCE: 'Not An Id' }),
  ).toEqual([
    'environment variable `ORCHESTRATE_INSTANCE` cannot be used as it is: it takes the name of this instance: ' +
      '1 to 64 of a-z 0-9 _ - starting with a letter or digit',
    'environment variable `LOG_LEVEL` cannot be used as it is: it takes one of trace, debug, info, warn, error, fatal, silent',
    'environment variable `HEALTH_PORT` cannot be used as it is: it takes a port, 0 to 65535; 0 takes a free one',
    'environment variable `SMTP_URL` is not set: it takes the address of the mail server',
  ]);
});

test('a value is never repeated, since it may hold a password', () => {
  const problems = problemsWith({ SMTP_URL: 'https://user:hunter2@mail.test', SENDER_CONCURRENCY: '1e3' });
  expect(problems).toHaveLength(2);
  expect(problems.join()).not.toMatch(/hunter2|1e3/);
});
