import { randomUUID } from 'node:crypto';
import { partitionOf } from '@orchestrate/canon';
import {
  type ChainRecord,
  type Command,
  type DecisionRecorded,
  dispatchRequested,
  type EvidenceObserved,
  evidenceHeartbeat,
  evidenceObserved,
  type OperatorCommanded,
  operatorCommanded,
  outcomeReported,
  type StreamName,
  tenantConfigured,
  VERSION,
} from '@orchestrate/contracts';
import { encode } from '@orchestrate/messaging';
import { declarationOf, type Facts, READY_FACTS, TEMPLATE_DIGEST } from '@orchestrate/test-kit';
import type { OperationKind } from './journal.ts';

/** A message on its way: where it is published, and where its stream stores it. */
export interface Outgoing {
  readonly kind: OperationKind;
  readonly stream: StreamName;
  readonly subject: string;
  readonly storedSubject: string;
  readonly data: Uint8Array;
}

const head = (tenantId: string) => ({ v: VERSION, id: randomUUID(), tenantId, causedBy: null });

/** The server stamps the partition on what comes from outside, after the first word. */
function stamped(tenantId: string, subject: string): string {
  const [word, ...rest] = subject.split('.');
  return [word, partitionOf(tenantId), ...rest].join('.');
}

export function configMessage(tenantId: string, capPerDay: number): Outgoing {
  const config = declarationOf(tenantId, capPerDay);
  const subject = tenantConfigured.subject(tenantId);
  const data = encode(tenantConfigured, config);
  return { kind: 'config', stream: 'CONFIG', subject, storedSubject: stamped(tenantId, subject), data };
}

/** Every fact of a tenant that may send. */
export const readyMessages = (tenantId: string): readonly Outgoing[] =>
  READY_FACTS.map(([layer, source, facts]) => evidenceMessage(tenantId, layer, source, facts));

export function evidenceMessage(tenantId: string, layer: string, source: string, facts: Facts): Outgoing {
  const message = {
    ...head(tenantId),
    layer,
    source,
    observer: 'chaos',
    facts: Object.entries(facts).map(([fact, value]) => ({ fact, value, observedAtMs: Date.now() })),
  } as EvidenceObserved;
  const subject = evidenceObserved.subject({ tenantId, layer, source });
  const data = encode(evidenceObserved, message);
  return { kind: 'evidence', stream: 'EVIDENCE', subject, storedSubject: stamped(tenantId, subject), data };
}

/** Says that the windows of a partition are still watched. */
export function heartbeatMessage(p: number): Outgoing {
  const message = { v: VERSION, id: randomUUID(), p, layer: 'continuity_window' as const, atMs: Date.now() };
  const subject = evidenceHeartbeat.subject(p);
  const data = encode(evidenceHeartbeat, message);
  return { kind: 'heartbeat', stream: 'EVIDENCE', subject, storedSubject: subject, data };
}

/** Asks for the dispatch `d-<n>`, each to a recipient of its own. */
export function requestMessage(tenantId: string, n: number): Outgoing {
  const message = {
    ...head(tenantId),
    dispatchId: `d-${n}`,
    requestedBy: 'chaos',
    requestedAtMs: Date.now(),
    action: {
      campaign: 'spring',
      step: 1,
      mailbox: 'anna',
      domain: 'main',
      importSource: 'list',
      recipientKey: n.toString(16).padStart(64, '0'),
      recipientVerified: true,
      prospect: 'verified_import' as const,
      conversation: 'none' as const,
      templateDigest: TEMPLATE_DIGEST,
    },
  };
  const subject = dispatchRequested.subject({ tenantId, dispatchId: message.dispatchId });
  const data = encode(dispatchRequested, message);
  return { kind: 'request', stream: 'REQUESTS', subject, storedSubject: stamped(tenantId, subject), data };
}

/** A person's command. */
export function commandMessage(
  tenantId: string,
  command: Command,
  about: Partial<Pick<OperatorCommanded, 'dispatchId' | 'actionDigest' | 'target'>> = {},
): Outgoing {
  const message: OperatorCommanded = {
    ...head(tenantId),
    command,
    actor: 'olga',
    reasonCode: 'reviewed',
    dispatchId: null,
    actionDigest: null,
    target: null,
    atMs: Date.now(),
    ...about,
  };
  const subject = operatorCommanded.subject({ p: partitionOf(tenantId), tenantId, command });
  const data = encode(operatorCommanded, message);
  return { kind: 'command', stream: 'OPERATOR', subject, storedSubject: subject, data };
}

/** What the one sender of a release reports when the mail went out. */
export function sentMessage(decision: DecisionRecorded, decisionSeq: number): Outgoing {
  const { tenantId, dispatchId, constraintsDigest } = decision;
  const message = {
    ...head(tenantId),
    causedBy: `DECISIONS/${decisionSeq}`,
    dispatchId,
    state: 'sent' as const,
    sender: 'chaos',
    senderLife: randomUUID(),
    decisionSeq,
    constraintsDigest,
    reason: 'accepted_by_server' as const,
    smtpCode: 250,
    atMs: Date.now(),
  };
  const subject = outcomeReported.subject({ p: partitionOf(tenantId), tenantId, dispatchId });
  const data = encode(outcomeReported, message);
  return { kind: 'outcome', stream: 'OUTCOMES', subject, storedSubject: subject, data };
}

/** Bytes that are no message, where one of these is read. */
export function garbageMessage(like: Outgoing): Outgoing {
  return { ...like, kind: 'garbage', data: Buffer.from(`{"v":"1.0","torn":"${randomUUID()}`) };
}

/** JSON of the right form that breaks its contract: it says more than its contract knows. */
export function violationMessage(like: Outgoing): Outgoing {
  const message = { ...JSON.parse(Buffer.from(like.data).toString()), beyond: 1 };
  return { ...like, kind: 'garbage', data: Buffer.from(JSON.stringify(message)) };
}

export const recordIn = (data: Uint8Array): ChainRecord =>
  JSON.parse(Buffer.from(data).toString()) as ChainRecord;
