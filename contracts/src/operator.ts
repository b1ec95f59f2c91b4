import { CANONICAL_BLOCKER_LAYERS } from '@orchestrate/canon';
import { z } from 'zod';
import { type DraftOf, defineMessage, type ObjectBuilder } from './define-message.ts';
import { allTenants, cause, id, messageId, reference, sha256, tenantId, timeMs, version } from './scalars.ts';

export const COMMANDS = [
  'freeze',
  'unfreeze',
  'approve',
  'reject',
  'hold_layer',
  'release_layer',
  /** The tenant leaves: nothing of it goes out from the record on, and there is no way back. */
  'offboard',
] as const;
export type Command = (typeof COMMANDS)[number];

export const INTERVENTION_REASONS = [
  'reviewed',
  'incident',
  'client_request',
  'legal',
  'abuse_suspected',
  'incident_over',
  'not_wanted',
  'other',
] as const;

/** The layer source that a command is about, and the cause that it adds or ends. */
export const commandTarget = (object: ObjectBuilder) =>
  object({ layer: z.enum(CANONICAL_BLOCKER_LAYERS), source: id, cause });

/** What a person asks for. A command is not a record: it takes effect when its record is in the tenant's chain. */
export const operatorCommanded = defineMessage({
  name: 'operator.command',
  stream: 'OPERATOR',
  subject: (at: { p: number; tenantId: string; command: Command }) =>
    `operator.${at.p}.${at.tenantId}.${at.command}`,
  schema: (object) =>
    object({
      v: version,
      id: messageId,
      tenantId: z.union([tenantId, allTenants]),
      causedBy: reference.nullable(),
      command: z.enum(COMMANDS),
      actor: id,
      reasonCode: z.enum(INTERVENTION_REASONS),
      dispatchId: id.nullable(),
      actionDigest: sha256.nullable(),
      target: commandTarget(object).nullable(),
      atMs: timeMs,
    }).superRefine(({ tenantId, command }, context) => {
      if (command !== 'offboard' || tenantId !== '_all') return;
      context.addIssue({ code: 'custom', path: ['tenantId'], message: 'tenants leave one by one' });
    }),
});
export type OperatorCommanded = DraftOf<typeof operatorCommanded>;
