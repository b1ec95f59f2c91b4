import { randomUUID } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import {
  type Content,
  type Mailbox,
  type TenantConfig,
  tenantConfigured,
  VERSION,
} from '@orchestrate/contracts';
import type { Broker } from '@orchestrate/messaging';
import { eraseIfOffboarded } from './erase-tenant.ts';
import { InputFileError, type InputProblem } from './input-problem.ts';
import { hint } from './nearest-word.ts';
import { refuseOffboarded } from './offboarding.ts';
import { eachInFlight, publishMessage } from './publish-message.ts';
import { RecipientsStore } from './recipients-store.ts';
import {
  digestOfSteps,
  digestOfTemplate,
  lintTemplates,
  type NamedTemplate,
  parseTemplate,
  type TemplateLint,
} from './template.ts';
import { type TenantFile, tenantFileSchema } from './tenant-file-schema.ts';
import { readText, readYamlFile, type YamlInput } from './yaml-input.ts';

export interface CampaignReport {
  readonly id: string;
  readonly templateDigest: string;
  readonly lint: TemplateLint['lint'];
  /** What a person should mend in the templates; the campaign is written all the same. */
  readonly problems: readonly string[];
}

export interface TenantFileReport {
  readonly tenantId: string;
  /** Where the configuration stands in CONFIG. */
  readonly sequence: number;
  readonly campaigns: readonly CampaignReport[];
}

/** A tenant file read and checked, with its templates; nothing is written anywhere yet. */
export interface LoadedTenant {
  readonly config: TenantConfig;
  readonly mailboxes: readonly Mailbox[];
  readonly contents: readonly Content[];
  readonly campaigns: readonly CampaignReport[];
}

const WRITES_IN_FLIGHT_MAX = 128;

/**
 * Makes a tenant what its file says. Addresses and content come first, so that nobody ever reads a configuration
 * whose content is missing. Throws InputFileError, with nothing written, when the file or a template is wrong, and as
 * well when the tenant was offboarded.
 */
export async function applyTenantFile(broker: Broker, path: string): Promise<TenantFileReport> {
  const { config, mailboxes, contents, campaigns } = await loadTenantFile(path);
  await refuseOffboarded(broker, config.tenantId);
  const store = await RecipientsStore.open(broker, config.tenantId);
  await store.ensureSecret();
  await eachInFlight(mailboxes, WRITES_IN_FLIGHT_MAX, (mailbox) => store.putMailbox(mailbox));
  await eachInFlight(contents, WRITES_IN_FLIGHT_MAX, (content) => store.putContent(content));
  const subject = tenantConfigured.subject(config.tenantId);
  const { seq } = await publishMessage(broker, tenantConfigured, subject, config);
  await eraseIfOffboarded(broker, config.tenantId);
  return { tenantId: config.tenantId, sequence: seq, campaigns };
}

export async function loadTenantFile(path: string): Promise<LoadedTenant> {
  const input = await readYamlFile(path, tenantFileSchema);
  const problems = [...duplicates(input), ...danglingReferences(input)];
  const templates = await readTemplates(input, path, problems);
  if (problems.length > 0) throw new InputFileError(problems);
  const file = input.value;
  const contents = [...templates.values()].map(
    (template): Content => ({
      digest: digestOfTemplate(template),
      subject: template.subject,
      text: template.text,
    }),
  );
  const campaigns = file.campaigns.map((campaign) => configureCampaign(campaign, file, templates));
  return {
    config: configOf(
      file,
      campaigns.map(({ config }) => config),
    ),
    mailboxes: file.mailboxes.map(mailboxOf),
    contents: [...new Map(contents.map((content) => [content.digest, content])).values()],
    campaigns: campaigns.map(({ report }) => report),
  };
}

type CampaignInFile = TenantFile['campaigns'][number];
type CampaignConfig = TenantConfig['campaigns'][number];
/** By the path that the tenant file gives. */
type Templates = ReadonlyMap<string, NamedTemplate>;

const LISTS = ['domains', 'mailboxes', 'campaigns', 'imports'] as const;

function duplicates({ value, problem }: YamlInput<TenantFile>): InputProblem[] {
  return LISTS.flatMap((list) => {
    const ids = value[list].map((entry) => entry.id);
    return ids.flatMap((id, index) => {
      const first = ids.indexOf(id);
      return first === index ? [] : [problem([list, index, 'id'], `\`${id}\` is already ${list}[${first}]`)];
    });
  });
}

function danglingReferences({ value, problem }: YamlInput<TenantFile>): InputProblem[] {
  const domains = new Map(value.domains.map((domain) => [domain.id, domain.name]));
  const mailboxes = new Set(value.mailboxes.map(({ id }) => id));
  const ofMailboxes = value.mailboxes.flatMap((mailbox, index) => {
    const name = domains.get(mailbox.domain);
    if (name === undefined) {
      const path = ['mailboxes', index, 'domain'];
      return [
        problem(path, `no domain \`${mailbox.domain}\` is declared${hint(mailbox.domain, domains.keys())}`),
      ];
    }
    // mail from elsewhere could not align with the domain that is proven
    const from = mailbox.address.slice(mailbox.address.indexOf('@') + 1).toLowerCase();
    if (from === name || from.endsWith(`.${name}`)) return [];
    return [
      problem(
        ['mailboxes', index, 'address'],
        `\`${mailbox.address}\` does not belong to its domain \`${name}\``,
      ),
    ];
  });
  const ofCampaigns = value.campaigns.flatMap((campaign, index) =>
    campaign.mailboxes.flatMap((mailbox, at) => {
      const path = ['campaigns', index, 'mailboxes', at];
      if (!mailboxes.has(mailbox))
        return [problem(path, `no mailbox \`${mailbox}\` is declared${hint(mailbox, mailboxes)}`)];
      return campaign.mailboxes.indexOf(mailbox) < at
        ? [problem(path, `\`${mailbox}\` is listed twice`)]
        : [];
    }),
  );
  return [...ofMailboxes, ...ofCampaigns];
}

async function readTemplates(
  { value, problem }: YamlInput<TenantFile>,
  tenantFile: string,
  problems: InputProblem[],
): Promise<Templates> {
  const templates = new Map<string, NamedTemplate>();
  for (const [index, campaign] of value.campaigns.entries()) {
    for (const [step, { template: path }] of campaign.steps.entries()) {
      if (templates.has(path)) continue;
      const file = resolve(dirname(tenantFile), path);
      const at = ['campaigns', index, 'steps', step, 'template'];
      try {
        const parsed = parseTemplate(await readText(file));
        if ('message' in parsed)
          problems.push({ file, line: parsed.line, path: '', message: parsed.message });
        else if (parsed.subject.length > 998)
          problems.push({ file, line: 1, path: '', message: 'the subject is over 998 characters' });
        else templates.set(path, { ...parsed, name: path });
      } catch (error) {
        if (!(error instanceof InputFileError)) throw error;
        problems.push(...error.problems.map(({ message }) => problem(at, `\`${path}\`: ${message}`)));
      }
    }
  }
  return templates;
}

function configureCampaign(
  campaign: CampaignInFile,
  file: TenantFile,
  templates: Templates,
): { config: CampaignConfig; report: CampaignReport } {
  const steps = campaign.steps.map(({ template }) => templates.get(template)!);
  const digests = steps.map(digestOfTemplate);
  const templateDigest = digestOfSteps(digests);
  const { problems, ...linted } = lintTemplates(steps);
  const mailboxes = file.mailboxes.filter(({ id }) => campaign.mailboxes.includes(id));
  const config = {
    id: campaign.id,
    state: campaign.state,
    mailboxes: campaign.mailboxes,
    templates: digests,
    templateDigest,
    approvedDigest: approvedDigest(campaign.approved, templateDigest),
    ...linted,
    // A template can only offer the way out that its mailbox has.
    optOut: linted.optOut && mailboxes.every(({ unsubscribeUrl }) => unsubscribeUrl !== null),
    oneClick: mailboxes.every(({ unsubscribeUrl }) => unsubscribeUrl?.startsWith('https:') === true),
    bindings: bindingsOf(mailboxes, file),
    cta: campaign.cta,
    enabled: campaign.enabled,
  };
  return { config, report: { id: campaign.id, templateDigest, lint: linted.lint, problems } };
}

function approvedDigest(approved: boolean | string, templateDigest: string): string | null {
  if (typeof approved === 'string') return approved;
  return approved ? templateDigest : null;
}

function bindingsOf(mailboxes: TenantFile['mailboxes'], file: TenantFile): CampaignConfig['bindings'] {
  const domains = new Set(file.domains.filter(({ enabled }) => enabled).map(({ id }) => id));
  const usable = mailboxes.filter(({ enabled, domain }) => enabled && domains.has(domain));
  if (usable.length === 0) return 'broken';
  return usable.length < mailboxes.length ? 'partial' : 'bound';
}

function configOf(file: TenantFile, campaigns: CampaignConfig[]): TenantConfig {
  return {
    v: VERSION,
    id: randomUUID(),
    tenantId: file.tenant,
    causedBy: null,
    governance: file.governance,
    schedule: file.schedule,
    domains: file.domains,
    mailboxes: file.mailboxes.map(({ id, domain, provider, capPerDay, credential, enabled }) => ({
      id,
      domain,
      provider,
      capPerDay,
      credential,
      enabled,
    })),
    aiProvider: file.ai,
    billing: file.billing,
    campaigns,
    imports: file.imports,
  };
}

function mailboxOf({
  id,
  address,
  name,
  postalAddress,
  unsubscribeUrl,
}: TenantFile['mailboxes'][number]): Mailbox {
  return { mailbox: id, address, name, postalAddress, unsubscribeUrl };
}
