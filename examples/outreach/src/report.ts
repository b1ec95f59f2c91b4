import { CANONICAL_BLOCKER_LAYERS, type CanonicalRuntimeTruth, DISPATCH_DECISIONS } from '@orchestrate/canon';
import type { Books } from '@orchestrate/client';

/** Columns as wide as their widest cell; the first is left-aligned, numbers are right-aligned. */
export function table(rows: readonly (readonly (string | number)[])[]): string {
  const widths = rows[0]!.map((_, column) =>
    Math.max(...rows.map((row) => String(row[column] ?? '').length)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => {
          const text = String(cell);
          return typeof cell === 'number' ? text.padStart(widths[column]!) : text.padEnd(widths[column]!);
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export function readinessMatrix(truths: ReadonlyMap<string, CanonicalRuntimeTruth>): string {
  const rows = [...truths].map(([tenantId, truth]) => [
    tenantId,
    ...CANONICAL_BLOCKER_LAYERS.map((layer) => truth.layers[layer].state),
    truth.mode.resolved,
  ]);
  return table([['tenant', ...CANONICAL_BLOCKER_LAYERS, 'mode'], ...rows]);
}

export function honestUnknowns(truths: ReadonlyMap<string, CanonicalRuntimeTruth>): string {
  const rows = [...truths].flatMap(([tenantId, truth]) =>
    truth.unknowns.map(({ layer, source, fact, reason }) => [tenantId, `${layer}/${source}`, fact, reason]),
  );
  return rows.length === 0 ? 'none' : table(rows);
}

const SHORT = {
  APPROVE: 'approve',
  DEGRADE_AND_APPROVE: 'degrade',
  HOLD_FOR_CONTEXT: 'context',
  HOLD_FOR_REPUTATION: 'reputation',
  HOLD_FOR_REPLY_RISK: 'reply',
  HOLD_FOR_HUMAN_REVIEW: 'human',
  BLOCK: 'block',
} as const;

export function decisionTable(books: readonly Books[], mails: ReadonlyMap<string, number>): string {
  const head = [
    'tenant',
    'asked',
    ...DISPATCH_DECISIONS.map((kind) => SHORT[kind]),
    'sent',
    'not sent',
    'unknown',
    'mails',
  ];
  const rows = books.map((book) => [
    book.tenantId,
    book.requests,
    ...DISPATCH_DECISIONS.map((kind) => book.decisions[kind]),
    book.sent,
    book.notSent,
    book.unknown,
    mails.get(book.tenantId) ?? 0,
  ]);
  return table([head, ...rows]);
}
