/** One name in a scrape. `label` tells its series apart; without one there is a single series. */
export interface Metric {
  readonly kind: 'counter' | 'gauge';
  readonly label?: string;
  readonly help: string;
}

/** Name -> what it means. Counters begin at 0 with the process. */
export type MetricTable = Readonly<Record<string, Metric>>;

/** Value of the label -> value of the series. */
export type Series = Readonly<Record<string, number>>;

/** A value for every name of a table; null where it cannot be told now, and then nothing is shown. */
export type Figures<Table extends MetricTable> = {
  readonly [Name in keyof Table]: Table[Name] extends { readonly label: string }
    ? Series | null
    : number | null;
};

/** Where the figures of a table are read when somebody asks for them, and at no other time. */
export interface MetricSource {
  readonly table: MetricTable;
  readonly read: () => Promise<Readonly<Record<string, Series | number | null>>>;
}

export function metricSource<const Table extends MetricTable>(
  table: Table,
  read: () => Figures<Table> | Promise<Figures<Table>>,
): MetricSource {
  return { table, read: async () => read() };
}

/** Names that stand in the tables of several services. */
export const PARTITIONS_OWNED = {
  kind: 'gauge',
  help: 'Partitions that this instance owns, of 64 in all',
} as const;

export const CONSUMER_LAG = {
  kind: 'gauge',
  label: 'stream',
  help: 'Stored messages of an input stream that wait to be handled',
} as const;
