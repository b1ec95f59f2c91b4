import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { type FactName, type FactValue, partitionOf } from '@orchestrate/canon';
import {
  type EvidenceObserved,
  evidenceObserved,
  type Lead,
  type SuppressionListed,
  suppressionListed,
  VERSION,
} from '@orchestrate/contracts';
import { type Broker, encode } from '@orchestrate/messaging';
import { eraseIfOffboarded } from './erase-tenant.ts';
import { LeadKeys } from './lead-keys.ts';
import {
  type DuplicateRow,
  FirstOnes,
  type ImportedLead,
  type LeadCounts,
  LeadLedger,
} from './lead-ledger.ts';
import { type RejectedRow, readLeadRows, readSuppressionRows, SUPPRESSION_REASONS } from './lead-rows.ts';
import { writeEach } from './lead-writes.ts';
import { noTenant, notAmong } from './not-there.ts';
import { refuseOffboarded } from './offboarding.ts';
import { publishMessage } from './publish-message.ts';
import { readTenantConfig } from './read-side.ts';
import { recipientKeyOf } from './recipient-address.ts';
import { RecipientsStore } from './recipients-store.ts';

export type { ImportedLead } from './lead-ledger.ts';

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
  /** How long a server that does not answer is asked again; default 30 s. */
  readonly patienceMs?: number;
  readonly onProgress?: (progress: ImportProgress) => void;
  /**
   * Told of each accepted lead in the order of the rows, and before it is stored: all of them are stored once the import
   * has returned. A report does not hold them, since a list may name a million.
   */
  readonly onLead?: (lead: ImportedLead) => void;
}

/** Octets of the file that were read, so that what is left can be told without counting rows first. */
export interface ImportProgress {
  readonly rows: number;
  readonly accepted: number;
  readonly octetsRead: number;
  readonly octets: number;
}

/**
 * What became of the rows. Rows are named by their line in the file, and nothing that stands in them is repeated. Of
 * duplicates and rejections the first thousand are listed, and `more` says how many followed.
 */
export interface LeadImportReport extends LeadCounts {
  readonly rows: number;
  readonly duplicates: readonly DuplicateRow[];
  readonly duplicatesMore: number;
  readonly rejected: readonly RejectedRow[];
  readonly rejectedMore: number;
  /** People on the suppression file, and rows of it that could not be read. */
  readonly suppressed: number;
  readonly suppressionRejected: readonly RejectedRow[];
  readonly suppressionRejectedMore: number;
}

const DUE_IN_HOURS = 24;
const HOUR_MS = 3_600_000;
const PATIENCE_MS = 30_000;

/**
 * Imports a list of leads. Suppressions come first, so that no lead is ever there before its suppression; the
 * evidence that the import is done comes last. The same list again changes nothing but the times. Throws ImportStopped
 * when the server is lost or takes no more: then there is no evidence.
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
  const isSuppressed = (recipientKey: string) => suppressions.keys.has(recipientKey);
  const ledger = new LeadLedger({ keyOf, isSuppressed, onLead: options.onLead });
  await writeEach(acceptedLeads(options, ledger), writesOf(options, 'leads'), (lead, timeoutMs) =>
    store.putLead(lead, timeoutMs),
  );
  const { rows, counts, duplicates, rejected } = ledger;
  await publishEvidence(broker, options, counts);
  await eraseIfOffboarded(broker, tenantId);
  return {
    rows,
    ...counts,
    duplicates: duplicates.listed,
    duplicatesMore: duplicates.more,
    rejected: rejected.listed,
    rejectedMore: rejected.more,
    suppressed: suppressions.keys.size,
    suppressionRejected: suppressions.rejected.listed,
    suppressionRejectedMore: suppressions.rejected.more,
  };
}

const writesOf = ({ patienceMs = PATIENCE_MS }: LeadImport, what: string) => ({ what, patienceMs });

async function* acceptedLeads(options: LeadImport, ledger: LeadLedger): AsyncGenerator<Lead> {
  const octets = statSync(options.file, { throwIfNoEntry: false })?.size ?? 0;
  let octetsRead = 0;
  const rows = readLeadRows(options.file, (read) => {
    octetsRead = read;
  });
  for await (const row of rows) {
    const lead = ledger.add(row);
    options.onProgress?.({ rows: ledger.rows, accepted: ledger.accepted, octetsRead, octets });
    if (lead) yield lead;
  }
}

async function checkDeclared(broker: Broker, { tenantId, importId }: LeadImport): Promise<void> {
  const config = await readTenantConfig(broker, tenantId);
  if (!config) throw noTenant(tenantId);
  const ids = config.imports.map(({ id }) => id);
  if (ids.includes(importId)) return;
  throw notAmong(`tenant \`${tenantId}\` declares no import \`${importId}\``, importId, ids);
}

interface Suppressions {
  /** Each with the place of its reason in SUPPRESSION_REASONS. */
  readonly keys: LeadKeys;
  readonly rejected: FirstOnes<RejectedRow>;
}

/** Reads the whole file before anything is stored: of a person who stands there twice the last row counts. */
async function importSuppressions(
  broker: Broker,
  options: LeadImport,
  keyOf: (identity: string) => string,
): Promise<Suppressions> {
  const { tenantId, suppressionFile } = options;
  const found: Suppressions = { keys: new LeadKeys(32), rejected: new FirstOnes() };
  if (suppressionFile === undefined) return found;
  for await (const row of readSuppressionRows(suppressionFile)) {
    if ('problem' in row) found.rejected.add(row);
    else found.keys.set(keyOf(row.identity), SUPPRESSION_REASONS.indexOf(row.reason));
  }
  const p = partitionOf(tenantId);
  const atMs = Date.now();
  await writeEach(
    suppressionsOf(tenantId, found.keys, atMs),
    writesOf(options, 'suppressions'),
    (message, timeoutMs) =>
      broker.publisher.publish(
        suppressionListed.subject({ p, tenantId, recipientKey: message.recipientKey }),
        encode(suppressionListed, message),
        { messageId: message.id, timeoutMs },
      ),
  );
  return found;
}

function* suppressionsOf(
  tenantId: string,
  keys: Iterable<readonly [string, number]>,
  atMs: number,
): Generator<SuppressionListed> {
  for (const [recipientKey, reason] of keys) {
    yield {
      v: VERSION,
      id: randomUUID(),
      tenantId,
      causedBy: null,
      recipientKey,
      state: 'suppressed',
      reason: SUPPRESSION_REASONS[reason]!,
      atMs,
    };
  }
}

async function publishEvidence(
  broker: Broker,
  { tenantId, importId, dueInHours = DUE_IN_HOURS }: LeadImport,
  counts: LeadCounts,
): Promise<void> {
  const observedAtMs = Date.now();
  const facts = importFacts(counts, observedAtMs + dueInHours * HOUR_MS);
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
  { accepted, suppressedLeads, verifiedShare, provenanceShare }: LeadCounts,
  importDueAt: number,
): Partial<Record<FactName<'data'>, FactValue>> {
  return {
    importState: 'done',
    queueReady: accepted - suppressedLeads,
    ...(verifiedShare === null ? {} : { verifiedShare }),
    ...(provenanceShare === null ? {} : { provenanceShare }),
    importAgeH: 0,
    importDueAt: Math.round(importDueAt),
  };
}
