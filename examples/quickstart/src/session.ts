/** One command of the session, with what is to be said before it and after it. */
export interface Step {
  readonly say: string;
  readonly command: string;
  readonly after?: string;
  /** A reading that is not there yet is made again until its output holds this. */
  readonly until?: RegExp;
  /** Records of two services: which comes first may differ. */
  readonly anyOrder?: true;
  /** Not one of the ten: a command of the shell. */
  readonly shell?: true;
}

/** Stands for the dispatch that an earlier output shows with this decision. */
export const HELD = '<held>';
export const HELD_KIND = 'HOLD_FOR_REPUTATION';

/** The whole quickstart. The README beside it and its pictures are made from a run of this. */
export const SESSION: readonly Step[] = [
  {
    say: 'Start the platform in the background, with a small world of its own: a DNS server for the zone files of this folder and a mail server that keeps what it gets, both on loopback.',
    command: 'npx orchestrate up --detach --sandbox examples/quickstart/zones',
  },
  {
    say: 'Tell it about one tenant: a domain, a mailbox, a campaign with one message, a list.',
    command: 'npx orchestrate tenant apply examples/quickstart/tenant.yaml',
  },
  {
    say: 'Report what other systems know: the subscription is paid, the mailbox works, its reputation is good.',
    command: 'npx orchestrate evidence apply examples/quickstart/evidence.yaml',
  },
  {
    say: 'May it send? Nine layers answer, each for itself.',
    command: 'npx orchestrate readiness juno',
    until: /dmarc_none/,
    after:
      'Two things are the client’s to do. The domain has no DMARC record: an authoritative answer, so this is a *fail* and not an *unknown*. And there is no list yet.',
  },
  {
    say: 'Repair the DNS as its owner would, by adding a record to the zone:',
    command: `echo '_dmarc IN TXT "v=DMARC1; p=none"' >> .orchestrate/sandbox/zones/juno.example.zone`,
    shell: true,
  },
  {
    say: 'and watch it being noticed. Without a terminal each change is a line; on a terminal the whole screen is live.',
    command: 'npx orchestrate readiness juno --until sending_domain=provisioning --timeout 60',
    until: /provisioning/,
    after:
      'It is not *ready*, and rightly: DNS shows what is configured, never what is signed. That is proven by a message that was really delivered.',
  },
  {
    say: 'Report that proof:',
    command: 'npx orchestrate evidence apply examples/quickstart/proof.yaml',
  },
  {
    say: 'Ask for five people whether they may be written to now. Each gets exactly one decision.',
    command:
      'npx orchestrate dispatch juno --leads examples/quickstart/leads.csv --suppressions examples/quickstart/suppressions.csv',
    after:
      'Ann may be written to. Bo may too, but not yet: the mailbox keeps a gap of 90 seconds between two messages. Cy has replied, so a person should answer. Di is out of office. Eve has unsubscribed.',
  },
  {
    say: 'The decisions are records in a hash chain, and so is what became of them:',
    command: 'npx orchestrate decisions juno',
    until: /OUTCOME/,
    anyOrder: true,
  },
  {
    say: 'Why does Bo wait, and what would change it? Name the dispatch by the beginning of its id.',
    command: `npx orchestrate explain juno ${HELD}`,
    after:
      'Nobody has to do anything about it: after its time it is decided again, through all ten gates, and goes out.',
  },
  {
    say: 'The message to Ann has arrived at the mail server of the sandbox:',
    command: 'cat .orchestrate/sandbox/mail/0001-*.eml',
    shell: true,
  },
  {
    say: 'Stop everything. What was stored stays; the next `up` goes on from there.',
    command: 'npx orchestrate down',
  },
];
