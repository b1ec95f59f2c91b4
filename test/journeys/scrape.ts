import assert from 'node:assert/strict';
import type { Platform } from '@orchestrate/embedded';

export interface Family {
  readonly kind: string;
  readonly help: string;
  readonly labels: ReadonlySet<string>;
}

export interface Scrape {
  readonly families: ReadonlyMap<string, Family>;
  /** The one series of that name and those labels, null when there is none. */
  value(name: string, labels?: Readonly<Record<string, string>>): number | null;
  /** All series of that name. */
  values(name: string): number[];
}

const SAMPLE = /^([a-z_][a-z0-9_]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-z_]+)="((?:[^"\\]|\\.)*)"/g;

/** What an instance of the platform answers at `/metrics`, read as strictly as Prometheus does. */
export async function scrape(platform: Platform, instance: string): Promise<Scrape> {
  const port = platform.supervisor.list().find((one) => one.instance === instance)?.healthPort;
  const response = await fetch(`http://127.0.0.1:${port}/metrics`, { signal: AbortSignal.timeout(5_000) });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  return parseScrape(await response.text());
}

export function parseScrape(text: string): Scrape {
  const families = new Map<string, { kind: string; help: string; labels: Set<string> }>();
  const series = new Map<string, { name: string; value: number }>();
  assert.ok(text.endsWith('\n'), 'the last line has an end');
  for (const line of text.slice(0, -1).split('\n')) {
    const [, what, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (what === 'HELP') {
      assert.ok(!families.has(name), `${name} is there once`);
      families.set(name, { kind: '', help: rest, labels: new Set() });
    } else if (what === 'TYPE') families.get(name)!.kind = rest;
    else addSample(line);
  }
  function addSample(line: string): void {
    const [, name = '', labels = '', value = ''] = SAMPLE.exec(line) ?? [];
    const family = families.get(name);
    assert.ok(family?.kind, `a series whose kind is known: ${line}`);
    const pairs = [...labels.matchAll(LABEL)].map(([, label = '', word = '']) => [label, word] as const);
    for (const [label] of pairs) family.labels.add(label);
    const key = keyOf(name, Object.fromEntries(pairs));
    assert.ok(!series.has(key), `one value for ${key}`);
    assert.ok(Number.isFinite(Number(value)), `a number: ${line}`);
    series.set(key, { name, value: Number(value) });
  }
  return {
    families,
    value: (name, labels = {}) => series.get(keyOf(name, labels))?.value ?? null,
    values: (name) => [...series.values()].filter((one) => one.name === name).map(({ value }) => value),
  };
}

const keyOf = (name: string, labels: Readonly<Record<string, string>>) => `${name} ${JSON.stringify(labels)}`;
