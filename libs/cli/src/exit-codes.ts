/** What the exit code of a command says. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  refused: 4,
  notThere: 5,
  interrupted: 130,
} as const;
export type ExitName = keyof typeof EXIT;

/** In the words of the reference, which is generated from here. */
export const EXIT_MEANINGS: Readonly<Record<ExitName, string>> = {
  ok: 'done; of `status` and `doctor`: nothing is wrong',
  failed:
    'tried, and it did not work or did not happen in time; of `status` and `doctor`: something is wrong',
  usage: 'called in a way that the command does not know',
  unreachable: 'no platform runs here, or the server does not answer or has no streams',
  refused:
    'a file cannot be taken as it is: nothing of it took effect, and every mistake is named; of a list: not one row could be used',
  notThere: 'the tenant, campaign, import or dispatch that was named does not exist',
  interrupted: 'ended by ^C; what was done by then is done, and the same command goes on from there',
};
