import { OUTPUTS } from '../outputs.ts';
import { clockOf, printJson, printLine, stateWithSign } from '../print.ts';
import { LiveScreen } from './live-screen.ts';
import { changeLine, changesBetween, type Readiness } from './readiness.ts';

/** How a watch shows what it sees. */
export interface WatchOutput {
  first(shown: Readiness): void;
  /** At every look, whether something changed or not. */
  looked(before: Readiness, shown: Readiness): void;
  /** Something beside the readiness. */
  note(line: string): void;
  last(shown: Readiness): void;
}

type Picture = (shown: Readiness, nowMs: number) => string;

/** For a program: a document at first, and one for each change. */
export function documents(): WatchOutput {
  return {
    first: (shown) => printJson(OUTPUTS.readiness, shown),
    looked(before, shown) {
      const isNews =
        shown.fingerprint !== before.fingerprint ||
        shown.fresh !== before.fresh ||
        changesBetween(before, shown).length > 0;
      if (isNews) printJson(OUTPUTS.readiness, shown);
    },
    note: () => {},
    last: () => {},
  };
}

/** For a pipe or a log: a picture at first, and a line for each change. */
export function lines(picture: Picture): WatchOutput {
  return {
    first(shown) {
      const drawn = picture(shown, Date.now());
      if (drawn !== '') printLine(drawn);
    },
    looked(before, shown) {
      for (const change of changesBetween(before, shown)) printLine(changeLine(change, Date.now()));
    },
    note: printLine,
    last: () => {},
  };
}

/** For a person at a terminal: a screen that is drawn anew, with the changes below. */
export function liveScreen(picture: Picture): WatchOutput {
  const screen = new LiveScreen();
  const told: string[] = [];
  let left = false;
  return {
    first: (shown) => screen.draw(picture(shown, Date.now()), told),
    looked(before, shown) {
      const nowMs = Date.now();
      told.push(...changesBetween(before, shown).map((change) => changeLine(change, nowMs)));
      screen.draw(picture(shown, nowMs), told);
    },
    note(line) {
      if (left) printLine(line);
      else told.push(line);
    },
    last(shown) {
      left = true;
      screen.leave(picture(shown, Date.now()), told);
    },
  };
}

export const layerLine = ({ layer, state, reason }: Readiness['layers'][number]): string =>
  `${clockOf(Date.now())}  ${layer}  ${stateWithSign(state)}  (${reason})`;
