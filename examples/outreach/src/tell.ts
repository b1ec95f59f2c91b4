const startedMs = Date.now();

/** What a person came for: on standard output. */
export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Where the run is, with its age: on standard error. */
export function progress(text: string): void {
  const seconds = ((Date.now() - startedMs) / 1000).toFixed(1).padStart(5);
  process.stderr.write(`[${seconds} s] ${text}\n`);
}
