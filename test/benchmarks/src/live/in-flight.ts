/** So many messages are under way at once, in the reference and in what feeds ours. */
export const IN_FLIGHT = 512;

/** Runs `work` on each item in order, at most `width` at a time. */
export async function eachInFlight<T>(
  items: Iterable<T>,
  width: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const rest = items[Symbol.iterator]();
  const worker = async () => {
    for (let next = rest.next(); !next.done; next = rest.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: width }, worker));
}
