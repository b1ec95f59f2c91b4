import type { Broker } from '@orchestrate/messaging';
import { checkClock } from './checks/clock.ts';
import { checkDiskSpace } from './checks/disk-space.ts';
import { checkFsync } from './checks/fsync.ts';
import { checkMail } from './checks/mail.ts';
import { checkMarks } from './checks/marks.ts';
import { checkNatsServer } from './checks/nats-server.ts';
import { checkNode } from './checks/node.ts';
import { checkPlatform } from './checks/platform.ts';
import { checkPolicy } from './checks/policy.ts';
import { checkPorts } from './checks/ports.ts';
import { checkRejected } from './checks/rejected.ts';
import { checkResolver } from './checks/resolver.ts';
import { checkStreams } from './checks/streams.ts';
import { type CheckName, type Judgement, skipped } from './finding.ts';
import type { Surroundings } from './surroundings.ts';

export interface Check {
  /** What is looked at. */
  readonly title: string;
  readonly run: (here: Surroundings) => Promise<Judgement>;
  /** What to do when the check itself cannot be carried out. */
  readonly remedy: string;
}

const ANOTHER_DIRECTORY = 'name a directory that this user may write to with --data-dir';
const PROVISION = 'run `orchestrate provision`, and look at the log of nats-server if that fails too';

export const CHECKS: Record<CheckName, Check> = {
  node: { title: 'the Node that runs this', run: checkNode, remedy: 'run `npm run setup`' },
  nats_server: {
    title: 'nats-server, on this machine and at the other end',
    run: checkNatsServer,
    remedy: 'run `npm run setup`, which brings a nats-server',
  },
  disk_space: {
    title: 'space in the data directory',
    run: whereStoreIs(checkDiskSpace),
    remedy: ANOTHER_DIRECTORY,
  },
  fsync: {
    title: 'how long a record takes to be on the disk',
    run: whereStoreIs(checkFsync),
    remedy: ANOTHER_DIRECTORY,
  },
  clock: { title: "this clock against the broker's", run: withBroker(checkClock), remedy: PROVISION },
  ports: {
    title: 'ports on loopback, and those of the platform',
    run: checkPorts,
    remedy: 'allow this user to open sockets on loopback',
  },
  platform: {
    title: 'the processes of the platform and their health',
    run: checkPlatform,
    remedy: 'stop the platform with `orchestrate down` and start it again with `npm start`',
  },
  streams: { title: 'streams as they are declared', run: withBroker(checkStreams), remedy: PROVISION },
  policy: {
    title: 'the policy in force',
    run: withBroker(checkPolicy),
    remedy: 'put a policy in force with `orchestrate provision --policy <file>`',
  },
  marks: { title: 'how far each partition has come', run: withBroker(checkMarks), remedy: PROVISION },
  rejected: { title: 'inputs that were rejected', run: withBroker(checkRejected), remedy: PROVISION },
  resolver: {
    title: 'DNS resolvers',
    run: checkResolver,
    remedy: 'set DNS_SERVERS: resolvers as ip or ip:port, commas between',
  },
  mail: {
    title: 'the mail server',
    run: checkMail,
    remedy: 'correct SMTP_URL: an address such as smtp://user:password@mail.example.org:587',
  },
};

type BrokerCheck = (broker: Broker, here: Surroundings) => Promise<Judgement>;

function withBroker(check: BrokerCheck): Check['run'] {
  return async (here) => {
    if (here.broker) return check(here.broker, here);
    return here.address === null
      ? skipped('no platform runs, and no server is named', 'start one with `npm start`')
      : skipped(`nats-server at ${here.address} does not answer`, 'see `platform`, then look again');
  };
}

/** The store of a server that is named is elsewhere, and the disk of this machine says nothing about it. */
function whereStoreIs(check: Check['run']): Check['run'] {
  return async (here) =>
    here.isStoreHere
      ? check(here)
      : skipped(
          `the store of ${here.address} is not in ${here.dataDir}`,
          'run `orchestrate doctor` where that server runs, with its --data-dir and without --nats-url',
        );
}
