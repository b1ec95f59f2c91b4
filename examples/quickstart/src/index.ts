export { COLUMNS, type Played, play, wordsOf } from './play.ts';
export { SESSION, type Step } from './session.ts';
