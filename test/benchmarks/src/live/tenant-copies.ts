import { randomUUID } from 'node:crypto';

const TIME = /(?<=:)1[6-9]\d{11}(?=[,}])/g;
const ID = /(?<="id":")[0-9a-f-]{36}(?=")/;
const TENANT = /(?<="tenantId":")[a-z0-9_-]+(?=")/;

export interface Copy {
  readonly tenantId: string;
  /** All of its times are so much earlier: no two tenants were looked at in the same millisecond. */
  readonly earlierMs: number;
  /** Positions that are its own. */
  readonly positions?: Readonly<Record<string, number>>;
}

/** The message that the same service would have written of another tenant of which it was told the same, earlier. */
export function copyOf(text: string, { tenantId, earlierMs, positions = {} }: Copy): string {
  let copied = text
    .replace(ID, randomUUID())
    .replace(TENANT, tenantId)
    .replace(TIME, (time) => String(Number(time) - earlierMs));
  for (const [name, seq] of Object.entries(positions)) {
    copied = copied.replace(new RegExp(`(?<="${name}":)\\d+`), String(seq));
  }
  return copied;
}
