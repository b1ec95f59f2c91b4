import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { expect } from 'vitest';

/** One SMTP dialogue: says a line, returns the last line of the reply. */
export class Dialogue implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #lines: AsyncIterator<string>;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  }

  static async open(server: { readonly url: string }): Promise<Dialogue> {
    const { hostname, port } = new URL(server.url);
    const dialogue = new Dialogue(connect(Number(port), hostname));
    expect(await dialogue.reply()).toMatch(/^220 /);
    expect(await dialogue.say('EHLO client.test')).toMatch(/^250 /);
    return dialogue;
  }

  async say(line: string): Promise<string> {
    this.#socket.write(`${line}\r\n`);
    return await this.reply();
  }

  async reply(): Promise<string> {
    for (;;) {
      const { value = '', done } = await this.#lines.next();
      if (done || !/^\d{3}-/.test(value)) return value;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    if (!this.#socket.closed) await once(this.#socket, 'close');
  }
}
