const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?1049l\u001b[?25h';
const HOME = '\u001b[H';
const TO_END_OF_LINE = '\u001b[K';
const TO_END_OF_SCREEN = '\u001b[J';
const CHANGES_SHOWN_MAX = 8;

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
    const below = changes.length === 0 ? ['no change yet'] : changes.slice(-CHANGES_SHOWN_MAX);
    const lines = [...picture.split('\n'), '', 'changes  (^C ends it)', ...below];
    const rows = (process.stdout.rows ?? lines.length) - 1;
    const shown = lines.length > rows ? [...lines.slice(0, rows - 1), '… make the window taller'] : lines;
    process.stdout.write(
      `${HOME}${shown.map((line) => `${line}${TO_END_OF_LINE}`).join('\n')}${TO_END_OF_SCREEN}`,
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
