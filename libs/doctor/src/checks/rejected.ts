import {
  type InputRejected,
  inputRejected,
  REJECTION_REASONS,
  type RejectionReason,
} from '@orchestrate/contracts';
import { type Broker, ContractViolation, decodeLenient, readLast } from '@orchestrate/messaging';
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

export interface RejectedFound {
  /** Messages by subject, `rejected.<STREAM>.<reason>`. */
  readonly counts: Readonly<Record<string, number>>;
  /** Null when it cannot be read. */
  readonly newest: InputRejected | null;
  readonly nowMs: number;
}

export function judgeRejected({ counts, newest, nowMs }: RejectedFound): Judgement {
  const subjects = Object.entries(counts).toSorted(([, a], [, b]) => b - a);
  const total = subjects.reduce((sum, [, messages]) => sum + messages, 0);
  const data = { total, newestAtMs: newest?.atMs ?? null, newestService: newest?.service ?? null, ...counts };
  if (total === 0) return ok('no input was rejected', data);
  const groups = subjects.map(([subject, messages]) => {
    const [, stream, reason] = subject.split('.');
    return `${stream} ${reason} ${messages}`;
  });
  const issue = newest?.issues[0];
  const last = newest
    ? `; the newest ${duration(nowMs - newest.atMs)} ago by ${newest.service}: ${newest.stream}/${newest.seq}${issue ? `, ${issue.path ? `${issue.path}: ` : ''}${issue.message}` : ''}`
    : '';
  return warn(`${count(total, 'input')} rejected (${groups.join(', ')})${last}`, remedyFor(counts), data);
}

function remedyFor(counts: RejectedFound['counts']): string {
  const subjects = Object.keys(counts);
  const meanings = REJECTION_REASONS.filter((reason) =>
    subjects.some((subject) => subject.endsWith(`.${reason}`)),
  ).map((reason) => `${reason}: ${REASON_MEANINGS[reason]}`);
  return `read ${subjects.join(', ')} in the stream REJECTED: each message names the input and its issues. ${meanings.join('; ')}`;
}

export async function checkRejected(broker: Broker): Promise<Judgement> {
  const { state, ts } = await broker.jsm.streams.info('REJECTED', { subjects_filter: '>' });
  const last = state.messages > 0 ? await readLast(broker, 'REJECTED', 'rejected.*.*') : null;
  return judgeRejected({
    counts: state.subjects ?? {},
    newest: last && readable(last.data),
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
