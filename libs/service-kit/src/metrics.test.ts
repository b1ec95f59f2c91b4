import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { metricSource } from './metric.ts';
import { Metrics } from './metrics.ts';
import { PARTITION_METRICS } from './partition-metrics.ts';
import { PROCESS_METRICS, processMetrics } from './process-metrics.ts';
import { SERVICE_METRICS } from './service-metrics.ts';

const SELF = { service: 'tiny', instance: 'tiny-1' };

const SHOP = {
  shop_sales_total: { kind: 'counter', label: 'what', help: 'Sales' },
  shop_queue: { kind: 'gauge', label: 'desk', help: 'People who wait' },
  shop_open: { kind: 'gauge', help: '1 while it is open' },
} as const;

interface ShopFigures {
  shop_sales_total: Record<string, number>;
  shop_queue: Record<string, number> | null;
  shop_open: number | null;
}
const shop = (figures: ShopFigures) => new Metrics(SELF, [metricSource(SHOP, () => figures)]);

const FIRST: ShopFigures = {
  shop_sales_total: { tea: 2, 'a "b" \\ c': 1 },
  shop_queue: { left: 3, right: 0 },
  shop_open: 1,
};

test('a scrape has for each name its meaning, its kind and its series', async () => {
  expect(await shop(FIRST).scrape()).toBe(
    [
      '# HELP target_info Always 1; its labels say which service this is, and which instance of it',
      '# TYPE target_info gauge',
      'target_info{service_name="tiny",service_instance_id="tiny-1"} 1',
      '# HELP shop_sales_total Sales',
      '# TYPE shop_sales_total counter',
      'shop_sales_total{what="tea"} 2',
      'shop_sales_total{what="a \\"b\\" \\\\ c"} 1',
      '# HELP shop_queue People who wait',
      '# TYPE shop_queue gauge',
      'shop_queue{desk="left"} 3',
      'shop_queue{desk="right"} 0',
      '# HELP shop_open 1 while it is open',
      '# TYPE shop_open gauge',
      'shop_open 1',
      '',
    ].join('\n'),
  );
});

test('what a source does not tell of any more is not shown with what it was last', async () => {
  const figures = { ...FIRST };
  const metrics = shop(figures);
  await metrics.scrape();
  figures.shop_queue = { right: 4 };
  figures.shop_open = null;
  const text = await metrics.scrape();
  expect(text).toContain('shop_queue{desk="right"} 4');
  expect(text).not.toContain('left');
  expect(text).not.toMatch(/^shop_open/m);
  expect(text).toContain('shop_sales_total{what="tea"} 2');
});

test('one source that fails leaves no scrape that looks whole, and the next one is whole again', async () => {
  let isBroken = true;
  const broken = metricSource({ tea_total: { kind: 'counter', help: 'Tea' } }, () => {
    if (isBroken) throw new Error('out of tea');
    return { tea_total: 1 };
  });
  const metrics = new Metrics(SELF, [metricSource(SHOP, () => FIRST), broken]);
  await expect(metrics.scrape()).rejects.toThrow('out of tea');
  isBroken = false;
  expect(await metrics.scrape()).toContain('\ntea_total 1\n');
});

test('two scrapes at the same time both see everything', async () => {
  const metrics = shop(FIRST);
  const [one, other] = await Promise.all([metrics.scrape(), metrics.scrape()]);
  expect(one).toContain('shop_queue{desk="left"} 3');
  expect(other).toBe(one);
});

test('a table and what is read for it have the same names, or it does not compile', () => {
  // @ts-expect-error a name is missing
  metricSource(SHOP, () => ({ shop_sales_total: {}, shop_open: 1 }));
  // @ts-expect-error a labelled metric has a value for each value of its label
  metricSource(SHOP, () => ({ shop_sales_total: 1, shop_queue: {}, shop_open: 1 }));
  // @ts-expect-error a metric without a label has one value
  metricSource(SHOP, () => ({ shop_sales_total: {}, shop_queue: {}, shop_open: {} }));
});

test('a loop that was held up shows by how much, at the next scrape and not at the one after', async () => {
  const metrics = new Metrics(SELF, [processMetrics()]);
  const lagSec = async () =>
    Number(/^nodejs_eventloop_lag_p99_seconds (\S+)$/m.exec(await metrics.scrape())?.[1]);
  await lagSec();
  await sleep(200);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000);
  await sleep(200);
  const heldUp = await lagSec();
  expect(heldUp).toBeGreaterThan(0.9);
  await sleep(200);
  expect(await lagSec()).not.toBe(heldUp);
});

test.each(Object.entries({ ...SERVICE_METRICS, ...PROCESS_METRICS, ...PARTITION_METRICS }))(
  '%s is named as Prometheus wants it',
  (name, { kind, help }) => {
    expect(name).toMatch(/^(orchestrate|process|nodejs)(_[a-z0-9]+)+$/);
    expect(name.endsWith('_total')).toBe(kind === 'counter');
    expect(help).toMatch(/^[A-Z0-9].*[^.\n]$/);
  },
);
