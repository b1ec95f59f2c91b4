import { mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  applyTenantFile,
  type ImportedLead,
  importLeads,
  type LeadImport,
  type LeadImportReport,
} from '@orchestrate/client';
import type { Broker } from '@orchestrate/messaging';

/** A message or an entry of a bucket, wherever it stands. */
export interface Kept {
  readonly stream: string;
  readonly subject: string;
  readonly text: string;
}

/** Every byte that can be read from any stream or bucket, histories included. */
export async function readWholeStore(broker: Broker): Promise<Kept[]> {
  const all: Kept[] = [];
  for await (const { config, state } of broker.jsm.streams.list()) {
    if (state.messages === 0) continue;
    const consumer = await broker.js.consumers.get(config.name);
    const messages = await consumer.consume();
    for await (const message of messages) {
      const body = Buffer.from(message.data).toString();
      all.push({
        stream: config.name,
        subject: message.subject,
        text: `${[...(message.headers ?? [])].join()} ${body} ${payloadIn(config.name, body)}`,
      });
      if (message.info.pending === 0) break;
    }
  }
  return all;
}

/** What was rejected stands there in base64. */
function payloadIn(stream: string, body: string): string {
  return stream === 'REJECTED' ? Buffer.from(JSON.parse(body).payload, 'base64').toString() : '';
}

const TEMPLATE = `Subject: A question, {{ firstName | default: "there" }}

Hello, would that help? Write to {{ sender.name }} or to PLANTED@desk.example.
{{ sender.postalAddress }}
{{ unsubscribeUrl }}
`;

/** A tenant as a person sets it up, from files: its word stands in every address and in its templates. */
export async function setUpFromFiles(
  broker: Broker,
  tenantId: string,
  wishes: { readonly planted: string; readonly capPerDay: number; readonly leads: number } & Pick<
    LeadImport,
    'onProgress'
  >,
): Promise<LeadImportReport & { readonly leads: readonly ImportedLead[] }> {
  const { planted, capPerDay, leads, ...rest } = wishes;
  using directory = mkdtempDisposableSync(join(tmpdir(), 'orchestrate-tenant-'));
  const put = (name: string, text: string): string => {
    const path = join(directory.path, name);
    writeFileSync(path, text);
    return path;
  };
  put('question.txt', TEMPLATE.replace('PLANTED', planted));
  await applyTenantFile(broker, put('tenant.yaml', tenantFile(tenantId, planted, capPerDay)));
  const address = (n: number) => `${planted}-${n}@lead.example`;
  const rows = Array.from({ length: leads }, (_, n) => `${address(n)},yes,existing_customer`);
  const imported: ImportedLead[] = [];
  const report = await importLeads(broker, {
    tenantId,
    importId: 'list',
    file: put('leads.csv', ['email,verified,provenance', ...rows].join('\n')),
    suppressionFile: put('suppressions.csv', `email\n${address(leads)}\n`),
    onLead: (lead) => imported.push(lead),
    ...rest,
  });
  return { ...report, leads: imported };
}

export function tenantFile(tenantId: string, planted: string, capPerDay: number): string {
  return `tenant: ${tenantId}
governance: { mode: autonomous, sector: technology, jurisdiction: us, lawfulBasis: consent }
schedule:
  timeZone: UTC
  days: [mon, tue, wed, thu, fri, sat, sun]
  from: 00:00
  to: 00:00
domains:
  - { id: main, name: acme.example, egressIp: 192.0.2.1, dkimSelectors: [s1] }
mailboxes:
  - id: anna
    domain: main
    provider: smtp_imap
    address: ${planted}@acme.example
    name: Anna
    postalAddress: 1 Street
    unsubscribeUrl: https://acme.example/u
    capPerDay: ${capPerDay}
campaigns:
  - id: spring
    state: active
    mailboxes: [anna]
    steps: [{ template: question.txt }]
    approved: true
    cta: question
imports:
  - id: list
`;
}
