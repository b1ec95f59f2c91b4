import { ID_PATTERN } from '@orchestrate/canon';
import { z } from 'zod';

/**
 * Scalars of the wire. Every string is closed, patterned and bounded, so that free text cannot pass; its brand says
 * that it was checked. A pattern knows a form, not a meaning: what is named by an id has to be named without content.
 */
export const id = z
  .string()
  .regex(
    ID_PATTERN,
    'an id is 1 to 64 of a-z 0-9 _ - and starts with a letter or digit: no dot, star or space',
  )
  .brand<'id'>();
/** A tenant token; `_all` is reserved for what concerns every tenant of a partition. */
export const tenantId = id;
export const allTenants = z.literal('_all');
export const uuid = z.uuid().brand<'uuid'>();
export const messageId = uuid;
export const sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'a SHA-256 in lower-case hex')
  .brand<'sha256'>();
export const recipientKey = sha256;
export const timeMs = z.number().int().min(0).max(8.64e15);
export const sequence = z.number().int().min(0);
export const partition = z.number().int().min(0).max(63);
/** A message in a stream, as `STREAM/sequence`. Where the stream is sharded it counts in the shard of the tenant it stands beside. */
export const reference = z
  .string()
  .regex(/^[A-Z]{1,16}\/[0-9]{1,16}$/)
  .brand<'reference'>();
export const version = z
  .string()
  .regex(/^[0-9]{1,3}\.[0-9]{1,3}$/)
  .brand<'version'>();
export const codeVersion = z
  .string()
  .regex(/^[0-9]{1,5}\.[0-9]{1,5}\.[0-9]{1,5}(-[a-z0-9.]{1,32})?$/)
  .brand<'codeVersion'>();
/** A host name in ASCII (IDNA A-labels), RFC 1035 length. */
export const domainName = z
  .string()
  .max(253)
  .regex(
    /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$/,
    'a lower-case host name with a dot',
  )
  .brand<'domainName'>();
/** DKIM selectors may have dots of their own (RFC 6376 3.1). */
export const dkimSelector = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9_.-]{0,61}[a-z0-9])?$/i)
  .brand<'dkimSelector'>();
export const clockTime = z
  .string()
  .regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/, 'a time as HH:MM')
  .brand<'clockTime'>();
export const calendarDay = z
  .string()
  .regex(/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/, 'a day as YYYY-MM-DD')
  .brand<'calendarDay'>();
/** A customer of Stripe's. */
export const stripeCustomer = z
  .string()
  .regex(/^cus_[A-Za-z0-9]{1,64}$/, 'a customer of Stripe, as cus_ and its letters and digits')
  .brand<'stripeCustomer'>();
export const timeZone = z
  .string()
  .regex(/^[A-Za-z0-9_+/-]{1,64}$/, 'an IANA time zone such as Europe/Madrid')
  .brand<'timeZone'>();
/**
 * Why something was added that a later event takes away again: a closed reason, or a word that a person chose for a
 * hold of theirs. A few short lower-case words: no address, token or sentence has this form. What words a person puts
 * there, and a key that is made of such words, no pattern can tell.
 */
export const cause = z
  .string()
  .max(64)
  .regex(
    /^[a-z][a-z0-9]{0,15}([_-][a-z0-9]{1,16}){0,5}$/,
    'a cause is up to 6 words of 16 of a-z 0-9, joined by _ or -',
  )
  .brand<'cause'>();
/** A step of a campaign, as `campaign:step`. */
export const campaignStep = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,63}:[0-9]{1,2}$/)
  .brand<'campaignStep'>();
/** What an exploration is charged to, as `kind:id`; the kinds are those of governance and of the policy. */
export const budgetId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,63}:[a-z0-9][a-z0-9_-]{0,63}$/)
  .brand<'budgetId'>();

/** What stands at the head of every message about a tenant. */
export const envelope = {
  v: version,
  id: messageId,
  tenantId,
  /** The message that made this one necessary; null where a person or the outside world began it. */
  causedBy: reference.nullable(),
};
