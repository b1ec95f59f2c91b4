/** What the mail client hands to a way of logging in. */
interface LoginExchange {
  readonly auth: { readonly credentials: { readonly user: string; readonly pass: string } };
  sendCommand(command: string): Promise<{ readonly status: number }>;
  resolve(): void;
  reject(reason: string): void;
}

/**
 * SASL XOAUTH2 with a token that is at hand. A server that refuses it sends its reasons as a challenge first (334) and
 * its refusal only when that was answered with an empty line; the client's own way would go for another token instead
 * and lose the code of the refusal.
 */
export async function xoauth2({ auth, sendCommand, resolve, reject }: LoginExchange): Promise<void> {
  const { user, pass } = auth.credentials;
  const response = Buffer.from(`user=${user}\u0001auth=Bearer ${pass}\u0001\u0001`).toString('base64');
  let reply = await sendCommand(`AUTH XOAUTH2 ${response}`);
  if (reply.status === 334) reply = await sendCommand('');
  if (reply.status === 235) resolve();
  else reject('not logged in');
}
