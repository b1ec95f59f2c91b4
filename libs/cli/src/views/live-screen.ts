/** The alternate screen, no cursor, and lines that are too long are cut instead of wrapped; and back. */
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l';
const LEAVE = '\u001b[?7h\u001b[?1049l\u001b[?25h';
const HOME = '\u001b[H';
const TO_END_OF_LINE = '\u001b[K';
const TO_END_OF_SCREEN = '\u001b[J';
const CHANGES_SHOWN_MAX = 6;

/** A screen of its own that is drawn again and again; what it showed last stays behind when it is left. */
export class LiveScreen {
  readonly #leave = () => process.stdout.write(LEAVE);
  #entered = false;

  draw(picture: string, changes: readonly string[]): void {
    if (!this.#entered) {
      this.#entered = true;
      process.stdout.write(ENTER);
      process.once('exit', this.#leave);
    }
    const below = [
      '',
      'changes  (^C ends it)',
      ...(changes.length === 0 ? ['none yet'] : changes.slice(-CHANGES_SHOWN_MAX)),
    ];
    const above = picture.split('\n');
    const room = Math.max(1, (process.stdout.rows ?? Number.POSITIVE_INFINITY) - below.length);
    const hidden = above.length - room;
    const shown =
      hidden > 0 ? [...above.slice(0, room - 1), `… ${hidden + 1} more lines in a taller window`] : above;
    process.stdout.write(
      `${HOME}${[...shown, ...below].map((line) => `${line}${TO_END_OF_LINE}`).join('\n')}${TO_END_OF_SCREEN}`,
    );
  }

  leave(picture: string, changes: readonly string[]): void {
    if (this.#entered) {
      process.off('exit', this.#leave);
      this.#leave();
    }
    const below = changes.length === 0 ? '' : `\n\n${changes.join('\n')}`;
    process.stdout.write(`${picture}${below}\n`);
  }
}
