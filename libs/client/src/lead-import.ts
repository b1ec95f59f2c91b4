import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { type ConversationState, type FactName, type FactValue, partitionOf } from '@orchestrate/canon';
import {
  type EvidenceObserved,
  evidenceObserved,
  type SuppressionListed,
  suppressionListed,
  VERSION,
} from '@orchestrate/contracts';
import type { Broker } from '@orchestrate/messaging';
import { eraseIfOffboarded } from './erase-tenant.ts';
import {
  type LeadRow,
  type ProspectCode,
  type RejectedRow,
  readLeadRows,
  readSuppressionRows,
  type SuppressionReason,
} from './lead-rows.ts';
import { noTenant, notAmong } from './not-there.ts';
import { refuseOffboarded } from './offboarding.ts';
import { eachInFlight, publishMessage } from './publish-message.ts';
import { readTenantConfig } from './read-side.ts';
import { recipientKeyOf } from './recipient-address.ts';
import { RecipientsStore } from './recipients-store.ts';

export interface LeadImport {
  readonly tenantId: string;
  /** One of the imports that the tenant's file declares. */
  readonly importId: string;
  /** CSV with the column `email`, and optionally firstName, lastName, company, role, verified, provenance, conversation. */
  readonly file: string;
  /** CSV with the column `email`, and optionally `reason`. */
  readonly suppressionFile?: string;
  /** When the next import is due; default 24. */
  readonly dueInHours?: number;
  readonly onProgress?: (progress: ImportProgress) => void;
}

/** Octets of the file that were read, so that what is left can be told without counting rows first. */
export interface ImportProgress {
  readonly rows: number;
  readonly accepted: number;
  readonly octetsRead: number;
  readonly octets: number;
}

/** A lead as a dispatch names it: without its address. */
export interface ImportedLead {
  readonly recipientKey: string;
  readonly verified: boolean;
  readonly prospect: ProspectCode;
  readonly conversation: ConversationState;
}

/** What became of every row. Rows are named by their line in the file, and nothing that stands in them is repeated. */
export interface LeadImportReport {
  readonly rows: number;
  readonly accepted: number;
  readonly duplicates: readonly { readonly row: number; readonly firstRow: number }[];
  readonly rejected: readonly RejectedRow[];
  /** People on the suppression file, and rows of it that could not be read. */
  readonly suppressed: number;
  readonly suppressionRejected: readonly RejectedRow[];
  /** Accepted leads that the suppression file names: they are kept, and never written to. */
  readonly suppressedLeads: number;
  readonly leads: readonly ImportedLead[];
}

const WRITES_IN_FLIGHT_MAX = 256;
const DUE_IN_HOURS = 24;
const HOUR_MS = 3_600_000;

/**
 * Imports a list of leads. Suppressions come first, so that no lead is ever there before its suppression; the
 * evidence that the import is done comes last. The same list again changes nothing but the times.
 */
export async function importLeads(broker: Broker, options: LeadImport): Promise<LeadImportReport> {
  const { tenantId } = options;
  await refuseOffboarded(broker, tenantId);
  await checkDeclared(broker, options);
  const store = await RecipientsStore.open(broker, tenantId);
  const secret = await store.secret();
  if (!secret) throw new Error(`tenant \`${tenantId}\` has no recipient key: apply its tenant file first`);
  const keyOf = (identity: string) => recipientKeyOf(secret, identity);
  const suppressions = await importSuppressions(broker, options, keyOf);
  const ledger = new LeadLedger(keyOf);
  const octets = statSync(options.file, { throwIfNoEntry: false })?.size ?? 0;
  let octetsRead = 0;
  const rows = readLeadRows(options.file, (read) => {
    octetsRead = read;
  });
  await eachInFlight(rows, WRITES_IN_FLIGHT_MAX, async (row) => {
    const lead = ledger.add(row);
    options.onProgress?.({ rows: ledger.rows, accepted: ledger.leads.length, octetsRead, octets });
    if (lead) await store.putLead(lead);
  });
  const suppressedLeads = ledger.leads.filter((lead) => suppressions.keys.has(lead.recipientKey)).length;
  await publishEvidence(broker, options, ledger.leads, suppressedLeads);
  await eraseIfOffboarded(broker, tenantId);
  return {
    rows: ledger.rows,
    accepted: ledger.leads.length,
    duplicates: ledger.duplicates,
    // a row that cannot be parsed is told before the good ones that the parser still holds
    rejected: ledger.rejected.toSorted((one, other) => one.row - other.row),
    suppressed: suppressions.keys.size,
    suppressionRejected: suppressions.rejected,
    suppressedLeads,
    leads: ledger.leads,
  };
}

async function checkDeclared(broker: Broker, { tenantId, importId }: LeadImport): Promise<void> {
  const config = await readTenantConfig(broker, tenantId);
  if (!config) throw noTenant(tenantId);
  const ids = config.imports.map(({ id }) => id);
  if (ids.includes(importId)) return;
  throw notAmong(`tenant \`${tenantId}\` declares no import \`${importId}\``, importId, ids);
}

/** Sorts rows into leads, duplicates and rejects; the first row of a person is the one that counts. */
export class LeadLedger {
  rows = 0;
  readonly leads: ImportedLead[] = [];
  readonly duplicates: { row: number; firstRow: number }[] = [];
  readonly rejected: RejectedRow[] = [];
  readonly #firstRows = new Map<string, number>();
  readonly #keyOf: (identity: string) => string;

  constructor(keyOf: (identity: string) => string) {
    this.#keyOf = keyOf;
  }

  /** What is to be stored of the row, if anything. */
  add(row: LeadRow | RejectedRow) {
    this.rows++;
    if ('problem' in row) {
      this.rejected.push(row);
      return null;
    }
    const recipientKey = this.#keyOf(row.identity);
    const firstRow = this.#firstRows.get(recipientKey);
    if (firstRow !== undefined) {
      this.duplicates.push({ row: row.row, firstRow });
      return null;
    }
    this.#firstRows.set(recipientKey, row.row);
    const { address, verified, prospect, conversation, variables } = row;
    this.leads.push({ recipientKey, verified, prospect, conversation });
    return { recipientKey, address, verified, variables };
  }
}

async function importSuppressions(
  broker: Broker,
  { tenantId, suppressionFile }: LeadImport,
  keyOf: (identity: string) => string,
): Promise<{ keys: ReadonlySet<string>; rejected: readonly RejectedRow[] }> {
  const reasons = new Map<string, SuppressionReason>();
  const rejected: RejectedRow[] = [];
  if (suppressionFile === undefined) return { keys: new Set(), rejected };
  for await (const row of readSuppressionRows(suppressionFile)) {
    if ('problem' in row) rejected.push(row);
    else reasons.set(keyOf(row.identity), row.reason);
  }
  const p = partitionOf(tenantId);
  const atMs = Date.now();
  await eachInFlight(reasons, WRITES_IN_FLIGHT_MAX, async ([recipientKey, reason]) => {
    const message: SuppressionListed = {
      v: VERSION,
      id: randomUUID(),
      tenantId,
      causedBy: null,
      recipientKey,
      state: 'suppressed',
      reason,
      atMs,
    };
    await publishMessage(
      broker,
      suppressionListed,
      suppressionListed.subject({ p, tenantId, recipientKey }),
      message,
    );
  });
  return { keys: new Set(reasons.keys()), rejected };
}

async function publishEvidence(
  broker: Broker,
  { tenantId, importId, dueInHours = DUE_IN_HOURS }: LeadImport,
  leads: readonly ImportedLead[],
  suppressedLeads: number,
): Promise<void> {
  const observedAtMs = Date.now();
  const facts = importFacts(leads, suppressedLeads, observedAtMs + dueInHours * HOUR_MS);
  const message: EvidenceObserved = {
    v: VERSION,
    id: randomUUID(),
    tenantId,
    causedBy: null,
    layer: 'data',
    source: importId,
    observer: 'import',
    facts: Object.entries(facts).map(([fact, value]) => ({ fact, value, observedAtMs })),
  };
  await publishMessage(broker, evidenceObserved, evidenceObserved.subject(message), message);
}

/** Of an empty list no share can be told. */
export function importFacts(
  leads: readonly ImportedLead[],
  suppressedLeads: number,
  importDueAt: number,
): Partial<Record<FactName<'data'>, FactValue>> {
  const share = (isSo: (lead: ImportedLead) => boolean) => leads.filter(isSo).length / leads.length;
  return {
    importState: 'done',
    queueReady: leads.length - suppressedLeads,
    ...(leads.length === 0
      ? {}
      : {
          verifiedShare: share(({ verified }) => verified),
          provenanceShare: share(({ prospect }) => prospect !== 'none_found' && prospect !== 'unknown'),
        }),
    importAgeH: 0,
    importDueAt: Math.round(importDueAt),
  };
}
