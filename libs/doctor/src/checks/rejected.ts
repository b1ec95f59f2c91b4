import {
  type InputRejected,
  inputRejected,
  REJECTION_REASONS,
  type RejectionReason,
} from '@orchestrate/contracts';
import { type Broker, ContractViolation, decodeLenient, readAt } from '@orchestrate/messaging';
import { count, duration } from '../figures.ts';
import { type Judgement, ok, warn } from '../finding.ts';

/** What each reason means to whoever wrote the input. */
export const REASON_MEANINGS: Record<RejectionReason, string> = {
  contract_violation: 'the input breaks its contract, so its writer must be corrected',
  handler_fault: 'our own code failed on the input, which is a defect of the service',
  refused_by_layer: 'the layer does not take such a fact, so its source must be corrected',
  process_deaths: 'the service died three times at the input, which is a defect of the service',
  not_json: 'the input is not JSON, so its writer must be corrected',
};

const NEWEST_SHOWN = 5;

export interface RejectedFound {
  /** Messages by subject, `rejected.<STREAM>.<reason>`. */
  readonly counts: Readonly<Record<string, number>>;
  /** Newest first; without those that cannot be read. */
  readonly newest: readonly InputRejected[];
  readonly nowMs: number;
}

export function judgeRejected({ counts, newest, nowMs }: RejectedFound): Judgement {
  const subjects = Object.entries(counts).toSorted(([, a], [, b]) => b - a);
  const total = subjects.reduce((sum, [, messages]) => sum + messages, 0);
  const [last] = newest;
  const data = { total, newestAtMs: last?.atMs ?? null, newestService: last?.service ?? null, ...counts };
  if (total === 0) return ok('no input was rejected', data);
  const groups = subjects.map(([subject, messages]) => {
    const [, stream, reason] = subject.split('.');
    return `${stream} ${reason} ${messages}`;
  });
  const shown = newest.map((one) => `; ${inWords(one, nowMs)}`).join('');
  return warn(`${count(total, 'input')} rejected (${groups.join(', ')})${shown}`, remedyFor(counts), data);
}

function inWords({ atMs, service, stream, seq, subject, issues }: InputRejected, nowMs: number): string {
  const [issue] = issues;
  const problem = issue ? `: ${issue.path ? `${issue.path}: ` : ''}${issue.message}` : '';
  return `${duration(nowMs - atMs)} ago by ${service}: ${stream}/${seq} on ${subject}${problem}`;
}

function remedyFor(counts: RejectedFound['counts']): string {
  const subjects = Object.keys(counts);
  const meanings = REJECTION_REASONS.filter((reason) =>
    subjects.some((subject) => subject.endsWith(`.${reason}`)),
  ).map((reason) => `${reason}: ${REASON_MEANINGS[reason]}`);
  return `${meanings.join('; ')}; what was rejected stays in REJECTED for 30 days, and stops nobody`;
}

export async function checkRejected(broker: Broker): Promise<Judgement> {
  const { state, ts } = await broker.jsm.streams.info('REJECTED', { subjects_filter: '>' });
  const newest: InputRejected[] = [];
  for (let seq = state.last_seq; seq >= state.first_seq && seq > state.last_seq - NEWEST_SHOWN; seq--) {
    const stored = state.messages > 0 ? await readAt(broker, 'REJECTED', seq) : null;
    const rejected = stored && readable(stored.data);
    if (rejected) newest.push(rejected);
  }
  return judgeRejected({
    counts: state.subjects ?? {},
    newest,
    nowMs: ts === undefined ? Date.now() : Date.parse(ts),
  });
}

function readable(data: Uint8Array): InputRejected | null {
  try {
    return decodeLenient(inputRejected, data);
  } catch (error) {
    if (error instanceof ContractViolation) return null;
    throw error;
  }
}
