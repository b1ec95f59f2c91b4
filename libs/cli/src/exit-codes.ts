/** What the exit code of a command says. */
export const EXIT = {
  ok: 0,
  /** It was tried and did not work: the message names the thing and the remedy. */
  failed: 1,
  /** The command was called in a way that it does not know. */
  usage: 2,
} as const;
