import { join } from 'node:path';
import { ROOT } from './run-command.ts';

/** What stands on the platform that the cases are run against. */
export interface Stage {
  readonly dataDir: string;
  /** Dispatches of the tenant `held` that wait for a person. */
  readonly held: readonly string[];
  readonly files: Readonly<
    Record<'brokenTenant' | 'brokenEvidence' | 'brokenLeads' | 'brokenPolicy', string>
  >;
}

interface Expected {
  readonly args: readonly string[];
  readonly code: number;
  readonly says: RegExp;
}

/** One command: how it goes well, how it is called wrongly, and what it says where no platform is. */
export interface Case {
  readonly well: (stage: Stage) => { readonly args: readonly string[]; readonly says: RegExp };
  /** Called a second time, with `--json`; by default as before. */
  readonly json?: (stage: Stage) => readonly string[];
  readonly badly: (stage: Stage) => Expected;
  readonly down?: Expected;
  /** It does not talk to the platform, or goes on until it is stopped: its ^C is a test of its own. */
  readonly interrupt?: 'elsewhere';
}

const QUICKSTART = join(ROOT, 'examples', 'quickstart');
const file = (name: string) => join(QUICKSTART, name);
const NO_PLATFORM = /^no platform runs in .*: start one with `npm start`, or name a server with --nats-url$/m;

/** By the words that call a command; one without a case fails a test. */
export const CASES: Readonly<Record<string, Case>> = {
  up: {
    well: () => ({ args: ['up'], says: /^the platform is up already: nats:/ }),
    // What it was not started with it does not become by starting it again.
    badly: () => ({
      args: ['up', '--policy', 'policies/default.json', '--sync', '100ms'],
      code: 1,
      says: /^the platform in .* is up already, and starting it again with --policy and --sync changes nothing: stop it first with `orchestrate down`, or put a policy in force/m,
    }),
    down: {
      args: ['up', '--policy', '/nowhere/policy.json'],
      code: 4,
      says: /^\/nowhere\/policy\.json:1: there is no such file$/m,
    },
    interrupt: 'elsewhere',
  },
  down: {
    well: () => ({ args: ['down', '--data-dir', '/nowhere'], says: /^no platform runs in \/nowhere$/m }),
    badly: () => ({ args: ['down', 'now'], code: 2, says: /too many arguments/ }),
    down: { args: ['down'], code: 0, says: /^no platform runs in / },
    interrupt: 'elsewhere',
  },
  status: {
    well: () => ({ args: ['status'], says: /^layer-runtime-1 +\d+ +✓ ok/m }),
    badly: () => ({
      args: ['status', '--jsn'],
      code: 2,
      says: /unknown option '--jsn'\n\(Did you mean --json\?\)/,
    }),
    interrupt: 'elsewhere',
  },
  doctor: {
    well: () => ({ args: ['doctor'], says: /^✓ ok +streams +\d+ streams as declared/m }),
    badly: () => ({ args: ['doctor', 'streams'], code: 2, says: /too many arguments/ }),
    down: { args: ['doctor'], code: 0, says: /^– skipped +platform +no platform runs/m },
    interrupt: 'elsewhere',
  },
  run: {
    well: () => ({ args: ['run', '--help'], says: /orchestrate run dispatch-governance/ }),
    json: () => ['run', '--help'],
    badly: () => ({
      args: ['run', 'truth-agregator'],
      code: 5,
      says: /^there is no service `truth-agregator`; did you mean `truth-aggregator`\?$/m,
    }),
    down: {
      args: ['run', 'nothing'],
      code: 5,
      says: /^there is no service `nothing`: there are dispatch-governance/m,
    },
    interrupt: 'elsewhere',
  },
  provision: {
    well: () => ({
      args: ['provision'],
      says: /^streams are as declared, policy [0-9a-f]{12} is in force$/m,
    }),
    badly: ({ files }) => ({
      args: ['provision', '--policy', files.brokenPolicy],
      code: 4,
      says: /broken-policy\.json:\d+: dispatch\.cadenceSec: takes a number, not `often`/,
    }),
  },
  'tenant apply': {
    well: () => ({
      args: ['tenant', 'apply', file('tenant.yaml')],
      says: /^juno applied \(CONFIG\/\d+\)\n {2}campaign hello: lint pass, template [0-9a-f]{12}$/m,
    }),
    badly: ({ files }) => ({
      args: ['tenant', 'apply', files.brokenTenant],
      code: 4,
      says: /broken-tenant\.yaml:2: governence: is not known here; did you mean `governance`\?/,
    }),
  },
  'tenant list': {
    well: () => ({
      args: ['tenant', 'list'],
      says: /^held +approval_required +\d+ +all nine layers are ready$/m,
    }),
    badly: () => ({
      args: ['tenant', 'lst'],
      code: 2,
      says: /unknown command 'lst'\n\(Did you mean list\?\)/,
    }),
  },
  'tenant show': {
    well: () => ({
      args: ['tenant', 'show', 'held'],
      says: /^mailbox +anna +smtp_imap, domain main, 3 a day$/m,
    }),
    badly: () => ({
      args: ['tenant', 'show', 'nobody'],
      code: 5,
      says: /^there is no tenant `nobody`: apply its tenant file first$/m,
    }),
  },
  'tenant offboard': {
    well: () => ({
      args: ['tenant', 'offboard', 'leaving', '--confirm', 'leaving'],
      says: /^leaving has left \(record 1\)$[\s\S]*^DECISIONS +1 +kept: the audit and what it cites$/m,
    }),
    badly: () => ({
      args: ['tenant', 'offboard', 'held'],
      code: 2,
      says: /^this erases the people, content and lists of `held` for good: to go on, name it once more with --confirm held$/m,
    }),
  },
  'evidence apply': {
    well: () => ({
      args: ['evidence', 'apply', file('evidence.yaml')],
      says: /^juno: 4 sources observed \(billing\/main, mailbox\/nora, pacing\/nora, continuity_window\/main\)$/m,
    }),
    badly: ({ files }) => ({
      args: ['evidence', 'apply', files.brokenEvidence],
      code: 4,
      says: /broken-evidence\.yaml:5: .*takes one of active, .*past_due, .*not `shiny`/,
    }),
  },
  'leads import': {
    well: () => ({
      args: ['leads', 'import', file('leads.csv'), '--tenant', 'juno'],
      says: /^5 rows: 5 accepted, 0 duplicates, 0 rejected; 0 suppressed$/m,
    }),
    badly: ({ files }) => ({
      args: ['leads', 'import', files.brokenLeads, '--tenant', 'juno'],
      code: 4,
      says: /broken-leads\.csv:1: there is no column `email`/,
    }),
  },
  dispatch: {
    well: () => ({
      args: ['dispatch', 'juno', '--leads', file('leads.csv'), '--suppressions', file('suppressions.csv')],
      says: /^5 asked for, 0 asked for before, 0 not decided yet$[\s\S]*^BLOCK +1 +gate 2 recipient_suppressed: suppressed$/m,
    }),
    badly: () => ({
      args: ['dispatch', 'juno', '--leads', file('leads.csv'), '--campaign', 'helo'],
      code: 5,
      says: /^there is no campaign `helo`; did you mean `hello`\?$/m,
    }),
  },
  readiness: {
    well: () => ({
      args: ['readiness', 'held'],
      says: /^held {3}9 of 9 layers ready {3}mode approval_required\nepoch \d+ {3}fingerprint [0-9a-f]{12} {3}as of [\s\S]*^data +client +● ready +ready_to_execute +ok +list: ✓/m,
    }),
    badly: () => ({
      args: ['readiness', 'held', '--until', 'mailbox=raedy'],
      code: 2,
      says: /`raedy` is no state: there are ready, executing/,
    }),
  },
  truth: {
    well: () => ({
      args: ['truth', 'held'],
      says: /^fingerprint {2}[0-9a-f]{64}$[\s\S]*^freshness {4}fresh, as of/m,
    }),
    json: () => ['truth', 'held', '--history'],
    badly: () => ({
      args: ['truth', 'He.ld'],
      code: 2,
      says: /an id is 1 to 64 of a-z 0-9 _ -.*no dot, star or space/,
    }),
  },
  decisions: {
    well: () => ({
      args: ['decisions', 'held', '--last', '2'],
      says: /^\d+ +[-\d]+ [:\d]+ {2}HOLD_FOR_HUMAN_REVIEW +d-\d+ +gate 10 human_authority_required: unapproved \(approval_missing\)$/m,
    }),
    badly: () => ({
      args: ['decisions', 'held', '--last', 'few'],
      code: 2,
      says: /'--last <n>' argument 'few' is invalid\. it takes a whole number from 1 to 1000000/,
    }),
  },
  explain: {
    well: ({ held }) => ({
      args: ['explain', 'held', held[0]!],
      says: /^▶ +10 +human_authority_required +unapproved +HOLD_FOR_HUMAN_REVIEW[\s\S]*^lane +person$/m,
    }),
    badly: () => ({
      args: ['explain', 'held', 'd-999'],
      code: 5,
      says: /^`held` has no dispatch `d-999`: `orchestrate decisions held` lists the newest$/m,
    }),
  },
  approve: {
    well: ({ held }) => ({
      args: ['approve', 'held', held[0]!, '--actor', 'olga'],
      says: /^d-1 is approved by olga \(record \d+\)\nnow APPROVE: a sender may send it$/m,
    }),
    json: ({ held }) => ['approve', 'held', held[1]!],
    badly: ({ held }) => ({
      args: ['approve', 'held', held[2]!, '--reason', 'because'],
      code: 2,
      says: /'because' is invalid\. Allowed choices are reviewed/,
    }),
  },
  reject: {
    well: ({ held }) => ({
      args: ['reject', 'held', held[2]!, '--actor', 'olga', '--reason', 'legal'],
      says: /^d-3 is rejected by olga \(record \d+\): BLOCK$/m,
    }),
    json: ({ held }) => ['reject', 'held', held[3]!],
    badly: ({ held }) => ({
      args: ['reject', 'held', held[0]!],
      code: 1,
      says: /^`d-1` is no open hold: it is released already \(APPROVE\)$/m,
    }),
  },
  hold: {
    well: () => ({
      args: ['hold', 'held', 'mailbox', '--actor', 'olga'],
      says: /^mailbox\/anna of held is held by operator_hold \(record \d+\): nothing that needs it is released until `orchestrate release held mailbox anna`$/m,
    }),
    json: () => ['hold', 'held', 'data', 'list', '--cause', 'odd_rows'],
    badly: () => ({
      args: ['hold', 'held', 'mailbox', 'ana'],
      code: 5,
      says: /^mailbox of `held` has no source `ana`; did you mean `anna`\?$/m,
    }),
  },
  release: {
    well: () => ({
      args: ['release', 'held', 'mailbox', 'anna'],
      says: /^mailbox\/anna of held is released from operator_hold \(record \d+\): it is checked again first$/m,
    }),
    json: () => ['release', 'held', 'data'],
    badly: () => ({
      args: ['release', 'held', 'campaign'],
      code: 5,
      says: /^campaign\/spring is not held by anybody$/m,
    }),
  },
  freeze: {
    well: () => ({
      args: ['freeze', 'held', '--reason', 'abuse_suspected'],
      says: /^held is frozen \(record \d+\): nothing is released until `orchestrate unfreeze held`, and what is decided meanwhile ends in BLOCK$/m,
    }),
    json: () => ['freeze', '--all'],
    badly: () => ({
      args: ['freeze'],
      code: 2,
      says: /^name one tenant, or everything with --all: orchestrate freeze <tenant> \| --all$/m,
    }),
  },
  unfreeze: {
    well: () => ({
      args: ['unfreeze', 'held'],
      // The case of `freeze` has frozen everything too.
      says: /^the freeze of held is ended \(record \d+\), but everything is frozen: `orchestrate unfreeze --all` ends that$/m,
    }),
    json: () => ['unfreeze', '--all'],
    badly: () => ({ args: ['unfreeze', 'nobody'], code: 5, says: /^there is no tenant `nobody`/m }),
  },
  completion: {
    well: () => ({ args: ['completion', 'bash'], says: /complete -F __orchestrate_complete orchestrate/ }),
    json: () => ['completion', 'fish'],
    badly: () => ({
      args: ['completion', 'csh'],
      code: 2,
      says: /'csh' is invalid for argument 'shell'\. Allowed choices are bash, zsh, fish, powershell/,
    }),
    down: { args: ['completion', 'zsh'], code: 0, says: /#compdef orchestrate/ },
    interrupt: 'elsewhere',
  },
};

/** What a command that needs a platform says where none is. */
export const withoutPlatform = (args: readonly string[]): Expected => ({ args, code: 3, says: NO_PLATFORM });
