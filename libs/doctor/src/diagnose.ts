import { CHECKS, type Check } from './checks.ts';
import { CHECK_NAMES, type CheckName, type Finding, fail, type Judgement } from './finding.ts';
import { sentenceOf } from './sentence-of.ts';
import { type DiagnoseOptions, lookAround, type Surroundings } from './surroundings.ts';

const CHECK_MS_MAX = 10_000;

/**
 * Looks at everything that must hold for the platform to run here: one finding per check, in the order of
 * `CHECK_NAMES`, each as soon as it is known. Never throws: a check that cannot be carried out is a finding.
 */
export async function* diagnose(options: DiagnoseOptions): AsyncGenerator<Finding, void, undefined> {
  await using opened = new AsyncDisposableStack();
  const here = await lookAround(options, opened);
  for (const name of CHECK_NAMES) yield await findingOf(name, CHECKS[name], here);
}

export async function findingOf(
  name: CheckName,
  check: Check,
  here: Surroundings,
  msMax = CHECK_MS_MAX,
): Promise<Finding> {
  const judgement = await within(msMax, () => check.run(here)).catch((error: unknown) =>
    fail(sentenceOf(error), check.remedy),
  );
  // what servers and inputs say is repeated on a terminal: on one line, and without its control characters
  const detail = judgement.detail.replaceAll(/\p{Cc}+/gu, ' ').trim();
  return { check: name, title: check.title, ...judgement, detail };
}

/** What is late goes on by itself; nobody waits for it, and its end is nobody's news. */
async function within(msMax: number, work: () => Promise<Judgement>): Promise<Judgement> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`not done within ${msMax / 1000} s`)), msMax);
  try {
    return await Promise.race([work(), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
