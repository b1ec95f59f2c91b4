import type { ConversationState } from '@orchestrate/canon';
import type { Lead } from '@orchestrate/contracts';
import { LeadKeys } from './lead-keys.ts';
import type { LeadRow, ProspectCode, RejectedRow } from './lead-rows.ts';

/** A lead as a dispatch names it: without its address. */
export interface ImportedLead {
  readonly recipientKey: string;
  readonly verified: boolean;
  readonly prospect: ProspectCode;
  readonly conversation: ConversationState;
}

export interface DuplicateRow {
  readonly row: number;
  readonly firstRow: number;
}

export const LISTED_MAX = 1000;

/** The first of many, and how many more there were: a file can be wrong on each of a million lines. */
export class FirstOnes<T> {
  readonly listed: T[] = [];
  #more = 0;

  get more(): number {
    return this.#more;
  }

  add(one: T): void {
    if (this.listed.length < LISTED_MAX) this.listed.push(one);
    else this.#more++;
  }
}

/** Of an empty list no share can be told. */
export interface LeadCounts {
  readonly accepted: number;
  readonly suppressedLeads: number;
  readonly verifiedShare: number | null;
  readonly provenanceShare: number | null;
}

const KEY_OCTETS_KEPT = 16;

export interface Ledger {
  readonly keyOf: (identity: string) => string;
  readonly isSuppressed?: (recipientKey: string) => boolean;
  /** Told of each accepted lead in the order of the rows. */
  readonly onLead?: ((lead: ImportedLead) => void) | undefined;
}

/** Sorts rows into leads, duplicates and rejects; the first row of a person is the one that counts. */
export class LeadLedger {
  rows = 0;
  readonly duplicates = new FirstOnes<DuplicateRow>();
  readonly rejected = new FirstOnes<RejectedRow>();
  readonly #firstRows = new LeadKeys(KEY_OCTETS_KEPT);
  readonly #ledger: Ledger;
  #verified = 0;
  #withProvenance = 0;
  #suppressed = 0;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  get accepted(): number {
    return this.#firstRows.size;
  }

  get counts(): LeadCounts {
    const shareOf = (count: number) => (this.accepted === 0 ? null : count / this.accepted);
    return {
      accepted: this.accepted,
      suppressedLeads: this.#suppressed,
      verifiedShare: shareOf(this.#verified),
      provenanceShare: shareOf(this.#withProvenance),
    };
  }

  /** What is to be stored of the row, if anything. */
  add(row: LeadRow | RejectedRow): Lead | null {
    this.rows++;
    if ('problem' in row) {
      this.rejected.add(row);
      return null;
    }
    const recipientKey = this.#ledger.keyOf(row.identity);
    const firstRow = this.#firstRows.get(recipientKey);
    if (firstRow !== undefined) {
      this.duplicates.add({ row: row.row, firstRow });
      return null;
    }
    this.#firstRows.set(recipientKey, row.row);
    const { address, verified, prospect, conversation, variables } = row;
    this.#count({ recipientKey, verified, prospect, conversation });
    return { recipientKey, address, verified, variables };
  }

  #count(lead: ImportedLead): void {
    if (lead.verified) this.#verified++;
    if (lead.prospect !== 'none_found' && lead.prospect !== 'unknown') this.#withProvenance++;
    if (this.#ledger.isSuppressed?.(lead.recipientKey)) this.#suppressed++;
    this.#ledger.onLead?.(lead);
  }
}
