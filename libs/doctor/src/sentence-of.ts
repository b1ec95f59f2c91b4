/** What an error says. One that gathers others, as a connection to a name with several addresses gives, says nothing itself. */
export function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message) return error.message;
  const inner = error instanceof AggregateError ? error.errors.map(sentenceOf).join(', ') : '';
  return inner || String((error as NodeJS.ErrnoException).code ?? error.name);
}
