import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import {
  AggregationTemporality,
  InstrumentType,
  MeterProvider,
  MetricReader,
} from '@opentelemetry/sdk-metrics';
import type { MetricSource } from './metric.ts';

/** Which service it is and which instance of it, in the form in which OpenTelemetry tells it to Prometheus. */
export const TARGET_INFO = {
  name: 'target_info',
  labels: ['service_name', 'service_instance_id'],
  help: 'Always 1; its labels say which service this is, and which instance of it',
} as const;

/**
 * What is asked for at one moment. The SDK goes on showing a series that nobody tells of any more, unless it is asked
 * for differences: a partition that moved away would keep its last figures here for ever.
 */
class ScrapeReader extends MetricReader {
  constructor() {
    super({
      aggregationTemporalitySelector: (type) =>
        type === InstrumentType.OBSERVABLE_GAUGE
          ? AggregationTemporality.DELTA
          : AggregationTemporality.CUMULATIVE,
    });
  }
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

/** The figures of a service as Prometheus reads them. They are read when a scrape comes; between two nothing is paid. */
export class Metrics {
  readonly #reader = new ScrapeReader();
  readonly #serializer = new PrometheusSerializer('', false, undefined, true, true);
  readonly #meter = new MeterProvider({ readers: [this.#reader] }).getMeter('orchestrate');
  #scraping: Promise<string> | null = null;

  constructor(
    self: { readonly service: string; readonly instance: string },
    sources: readonly MetricSource[],
  ) {
    const labels = { service_name: self.service, service_instance_id: self.instance };
    this.#meter
      .createObservableGauge(TARGET_INFO.name, { description: TARGET_INFO.help })
      .addCallback((result) => result.observe(1, labels));
    for (const source of sources) this.#show(source);
  }

  /** Prometheus text format 0.0.4. Two who ask at the same time get the same answer. */
  scrape(): Promise<string> {
    this.#scraping ??= this.#scrape().finally(() => {
      this.#scraping = null;
    });
    return this.#scraping;
  }

  async #scrape(): Promise<string> {
    const { resourceMetrics, errors } = await this.#reader.collect();
    // Half a picture would look like a whole one.
    if (errors.length > 0) throw errors[0];
    return `${this.#serializer.serialize(resourceMetrics).trimEnd()}\n`;
  }

  #show({ table, read }: MetricSource): void {
    const instruments = Object.entries(table).map(([name, { kind, label, help }]) => {
      const options = { description: help };
      const instrument =
        kind === 'counter'
          ? this.#meter.createObservableCounter(name, options)
          : this.#meter.createObservableGauge(name, options);
      return { name, label, instrument };
    });
    this.#meter.addBatchObservableCallback(
      async (result) => {
        const figures = await read();
        for (const { name, label, instrument } of instruments) {
          const figure = figures[name] ?? null;
          if (typeof figure === 'number') result.observe(instrument, figure);
          else if (figure !== null && label !== undefined)
            for (const [key, value] of Object.entries(figure))
              result.observe(instrument, value, { [label]: key });
        }
      },
      instruments.map(({ instrument }) => instrument),
    );
  }
}
