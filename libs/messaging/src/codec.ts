import { CONTRACT_MAJOR, type Draft, issuesOf, type MessageContract } from '@orchestrate/contracts';
import type { z } from 'zod';

const decoder = new TextDecoder('utf-8', { fatal: true });
const encoder = new TextEncoder();

/** The message breaks its contract: `issues` name the places. */
export class ContractViolation extends Error {
  readonly issues: readonly { readonly path: string; readonly message: string }[];
  constructor(name: string, issues: readonly { readonly path: string; readonly message: string }[]) {
    const first = issues[0];
    super(`${name}: ${first ? `${first.path || 'message'}: ${first.message}` : 'broken'}`);
    this.issues = issues;
  }
}

/** A newer major version than this code knows: not garbage, and not for us to judge. */
export class UnsupportedVersion extends Error {
  constructor(name: string, version: string) {
    super(`${name} has version ${version}, this code understands ${CONTRACT_MAJOR}.x: upgrade this service`);
  }
}

/** Bytes of a message. Throws ContractViolation rather than let anything leave that its contract does not allow. */
export function encode<T extends { readonly v: string }>(
  contract: MessageContract<T, never>,
  message: Draft<T>,
): Uint8Array {
  if (!contract.fits(message)) {
    const checked = contract.compiled.strict.safeParse(message);
    if (!checked.success) throw new ContractViolation(contract.name, issuesOf(checked.error));
  }
  return encoder.encode(JSON.stringify(message));
}

/** At an outer edge: unknown keys are refused. */
export function decodeStrict<T extends { readonly v: string }>(
  contract: MessageContract<T, never>,
  data: Uint8Array,
): T {
  return decode(contract, contract.compiled.strict, data);
}

/** Between our own services: unknown keys are ignored, so that a newer writer does not break an older reader. */
export function decodeLenient<T extends { readonly v: string }>(
  contract: MessageContract<T, never>,
  data: Uint8Array,
): T {
  return decode(contract, contract.compiled.lenient, data);
}

/** A message speaks only for the subject that it came on, or it could speak for anybody. */
export function checkAddress(
  contract: { readonly name: string },
  input: { readonly subject: string },
  addressed: string,
): void {
  if (addressed === input.subject) return;
  const message = `the message is for ${addressed}, but came on ${input.subject}`;
  throw new ContractViolation(contract.name, [{ path: 'tenantId', message: message.slice(0, 500) }]);
}

function decode<T extends { readonly v: string }>(
  contract: MessageContract<T, never>,
  schema: z.ZodType<T>,
  data: Uint8Array,
): T {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(data));
  } catch (error) {
    throw new ContractViolation(contract.name, [{ path: '', message: `not JSON${placeIn(error)}` }]);
  }
  const version = (value as { v?: unknown } | null)?.v;
  if (
    typeof version === 'string' &&
    /^\d{1,3}\.\d{1,3}$/.test(version) &&
    Number.parseInt(version, 10) > CONTRACT_MAJOR
  ) {
    throw new UnsupportedVersion(contract.name, version);
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new ContractViolation(contract.name, issuesOf(parsed.error));
  return parsed.data;
}

/** Where JSON ends to be JSON. The rest of the engine's message quotes what was sent. */
function placeIn(error: unknown): string {
  return / at position \d+/.exec((error as Error).message)?.[0] ?? '';
}
