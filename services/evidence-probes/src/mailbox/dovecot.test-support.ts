import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Certificate } from './certificate.test-support.ts';

const DOVECOT = '/usr/sbin/dovecot';
/** `nobody` and `nogroup` of Debian: mail users must not be root. */
const MAIL_ID = 65_534;

export const USER = 'ann';
export const PASSWORD = 'planted-password +/=';

/** Dovecot wants to be started by root here, because it hands its mail to another user. */
export const hasDovecot = existsSync(DOVECOT) && userInfo().uid === 0;
if (!hasDovecot)
  console.warn('skipped: tests against dovecot need /usr/sbin/dovecot (dovecot-imapd) and root');

export interface DovecotOptions {
  readonly certificate?: Certificate;
  /** Of the server that knows whether a token lives, credentials included; without it tokens are no way in. */
  readonly introspectionUrl?: string;
  /** The mail of the user lies where the server may not look. */
  readonly locksMail?: boolean;
}

/** Dovecot on loopback, in a folder of its own, with one user; STARTTLS where it has a certificate. */
export async function startDovecot(options: DovecotOptions = {}) {
  const base = await mkdtemp(join(tmpdir(), 'dovecot-'));
  await chmod(base, 0o755);
  const port = await freePort();
  const mail = join(base, 'mail');
  await mkdir(join(mail, USER), { recursive: true });
  if (options.locksMail) await chmod(mail, 0o700);
  else await chown(join(mail, USER), MAIL_ID, MAIL_ID);
  await writeFile(
    join(base, 'users'),
    `${USER}:{PLAIN}${PASSWORD}:${MAIL_ID}:${MAIL_ID}::${mail}/${USER}::\n`,
  );
  await writeCertificate(base, options.certificate);
  await writeFile(join(base, 'oauth2.conf'), tokenConfiguration(options));
  await writeFile(join(base, 'dovecot.conf'), configuration(base, port, options));
  const server = spawn(DOVECOT, ['-F', '-c', join(base, 'dovecot.conf')], { stdio: 'ignore' });
  const ended = once(server, 'exit');
  const stop = async () => {
    if (server.exitCode === null && server.signalCode === null) server.kill('SIGTERM');
    await ended;
  };
  try {
    await waitForGreeting(port, ended);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    port,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      await rm(base, { recursive: true, force: true });
    },
  };
}

async function writeCertificate(base: string, certificate: Certificate | undefined): Promise<void> {
  if (!certificate) return;
  await writeFile(join(base, 'cert.pem'), certificate.cert);
  await writeFile(join(base, 'key.pem'), certificate.key, { mode: 0o600 });
}

function configuration(base: string, port: number, { certificate, introspectionUrl }: DovecotOptions) {
  return `
base_dir = ${base}/run
state_dir = ${base}/state
log_path = ${base}/log
protocols = imap
listen = 127.0.0.1
default_internal_user = nobody
default_internal_group = nogroup
default_login_user = nobody
disable_plaintext_auth = no
auth_mechanisms = plain login ${introspectionUrl ? 'xoauth2 oauthbearer' : ''}
auth_failure_delay = 0 secs
first_valid_uid = ${MAIL_ID}
first_valid_gid = ${MAIL_ID}
mail_location = maildir:${base}/mail/%u
${certificate ? `ssl = yes\nssl_cert = <${base}/cert.pem\nssl_key = <${base}/key.pem` : 'ssl = no'}
passdb {
  driver = passwd-file
  args = ${base}/users
  mechanisms = plain login
}
${introspectionUrl ? `passdb {\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = ${base}/oauth2.conf\n}` : ''}
userdb {
  driver = static
  args = uid=${MAIL_ID} gid=${MAIL_ID} home=${base}/mail/%u
}
namespace inbox {
  inbox = yes
}
service anvil {
  chroot =
}
service imap-login {
  chroot =
  inet_listener imap {
    port = ${port}
  }
  inet_listener imaps {
    port = 0
  }
}
`;
}

/** RFC 7662 with the token in the body, as authorization servers want it. */
function tokenConfiguration({ introspectionUrl = '' }: DovecotOptions): string {
  return `
introspection_mode = post
introspection_url = ${introspectionUrl}
active_attribute = active
active_value = true
username_attribute = sub
`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function waitForGreeting(port: number, ended: Promise<unknown>): Promise<void> {
  let hasEnded = false;
  void ended.then(() => {
    hasEnded = true;
  });
  while (!(await greets(port))) {
    if (hasEnded) throw new Error('dovecot ended before it greeted');
    await delay(50);
  }
}

async function greets(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    const [greeting] = (await once(socket, 'data')) as [Buffer];
    return greeting.toString().startsWith('* OK');
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
