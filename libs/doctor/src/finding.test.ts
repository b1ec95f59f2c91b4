import { expect, test } from 'vitest';
import { CHECKS } from './checks.ts';
import { CHECK_NAMES, doctorReportSchema, type Finding, findingSchema, reportOf } from './finding.ts';

const finding = (overrides: Partial<Finding> = {}): Finding => ({
  check: 'node',
  status: 'ok',
  title: 'the Node that runs this',
  detail: 'Node 26.10.0',
  remedy: null,
  data: { version: '26.10.0' },
  ...overrides,
});

test('every check has a place in the order, and no other is known', () => {
  expect(Object.keys(CHECKS)).toEqual([...CHECK_NAMES]);
});

test.each([
  ['a finding that is not ok without a remedy', finding({ status: 'warn' })],
  ['an ok finding with a remedy', finding({ remedy: 'do something' })],
  ['an empty remedy', finding({ status: 'fail', remedy: '' })],
  ['a figure that is no number', finding({ data: { ms: Number.NaN } })],
])('%s is refused', (_, wrong) => {
  expect(findingSchema.safeParse(finding()).success).toBe(true);
  expect(findingSchema.safeParse(wrong).success).toBe(false);
});

test('a report is ok while nothing fails', () => {
  const others = [
    finding(),
    finding({ status: 'warn', remedy: 'x' }),
    finding({ status: 'skipped', remedy: 'x' }),
  ];
  expect(reportOf(others).ok).toBe(true);
  const failing = reportOf([...others, finding({ status: 'fail', remedy: 'x' })]);
  expect(failing.ok).toBe(false);
  expect(doctorReportSchema.parse(failing)).toEqual(failing);
});
