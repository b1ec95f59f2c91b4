import type { Broker } from '@orchestrate/messaging';

/** The same broker, but that something happens after each ordered consumer is made and before it is read from. */
export function onConsumer(broker: Broker, happens: () => Promise<unknown>): Broker {
  const get: Broker['js']['consumers']['get'] = async (...range) => {
    const consumer = await broker.js.consumers.get(...range);
    await happens();
    return consumer;
  };
  return { ...broker, js: { ...broker.js, consumers: { get } } } as unknown as Broker;
}
