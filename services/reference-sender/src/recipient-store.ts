import {
  type Content,
  contentSchema,
  type Lead,
  leadSchema,
  type Mailbox,
  mailboxSchema,
  RECIPIENTS_BUCKET,
  recipientsKey,
} from '@orchestrate/contracts';
import type { Broker } from '@orchestrate/messaging';
import type { z } from 'zod';

/** The only place with addresses and content. Null is: not there, deleted, or not what it should be. */
export interface RecipientStore {
  lead(tenantId: string, recipientKey: string): Promise<Lead | null>;
  content(tenantId: string, digest: string): Promise<Content | null>;
  mailbox(tenantId: string, mailbox: string): Promise<Mailbox | null>;
}

export function recipientStore(broker: Broker): RecipientStore {
  return {
    lead: (tenantId, key) => read(broker, leadSchema, recipientsKey.lead(tenantId, key)),
    content: (tenantId, digest) => read(broker, contentSchema, recipientsKey.content(tenantId, digest)),
    mailbox: (tenantId, mailbox) => read(broker, mailboxSchema, recipientsKey.mailbox(tenantId, mailbox)),
  };
}

/** Asks the leader: a replica that lags would call a lead missing that was imported a moment ago. */
async function read<T>(broker: Broker, schema: z.ZodType<T>, key: string): Promise<T | null> {
  const subject = `$KV.${RECIPIENTS_BUCKET}.${key}`;
  const entry = await broker.jsm.streams.getMessage(`KV_${RECIPIENTS_BUCKET}`, { last_by_subj: subject });
  if (entry?.header.get('KV-Operation') !== '') return null;
  return schema.safeParse(parseJson(entry.data)).data ?? null;
}

function parseJson(data: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(data));
  } catch {
    return undefined;
  }
}
