import { digestOf } from '@orchestrate/canon';
import { Liquid, type Template as LiquidTemplate } from 'liquidjs';
import { nearestWord } from './nearest-word.ts';
import { PRESSURE_WORDS } from './pressure-words.ts';

/** One message of a campaign as it is written: a subject and a plain text, both Liquid. */
export interface Template {
  readonly subject: string;
  readonly text: string;
}

/** What a person has to mend before a template file is one at all. */
export interface TemplateFault {
  readonly line: number;
  readonly message: string;
}

export interface TemplateLint {
  readonly lint: 'pass' | 'warn' | 'fail';
  readonly unresolvedVars: number;
  readonly address: boolean;
  readonly optOut: boolean;
  readonly tone: 'neutral_lint' | 'pressure_lint';
  readonly problems: readonly string[];
}

/** What a sender can fill in: of the lead, of the mailbox, of the tenant. */
export const TEMPLATE_VARIABLES = [
  'firstName',
  'lastName',
  'company',
  'role',
  'sender.name',
  'sender.postalAddress',
  'unsubscribeUrl',
] as const;

const SUBJECT = /^Subject:[ \t]*(\S.*)$/;

/** First line `Subject: ...`, an empty line, then the text. */
export function parseTemplate(source: string): Template | TemplateFault {
  const lines = source.replace(/^\uFEFF/, '').split(/\r?\n/);
  const subject = SUBJECT.exec(lines[0] ?? '')?.[1]?.trimEnd();
  if (subject === undefined)
    return { line: 1, message: 'the first line must be `Subject: ` and the subject' };
  if (lines[1]?.trim() !== '')
    return { line: 2, message: 'an empty line must stand between subject and text' };
  const text = `${lines.slice(2).join('\n').trimEnd()}\n`;
  return text.trim() === '' ? { line: 3, message: 'there is no text after the subject' } : { subject, text };
}

/** SHA-256 of the canonical JSON of subject and text: the same message has the same digest everywhere. */
export const digestOfTemplate = ({ subject, text }: Template): string => digestOf({ subject, text });

/** Of a campaign: it moves when any step, or the order of the steps, does. */
export const digestOfSteps = (digests: readonly string[]): string => digestOf(digests);

export interface NamedTemplate extends Template {
  /** As the problems are to name it. */
  readonly name: string;
}

/** All steps of a campaign together: each must offer a way out and say where it comes from. */
export function lintTemplates(templates: readonly NamedTemplate[]): TemplateLint {
  const found = templates.map(lintOne);
  const unresolved = new Set(found.flatMap((one) => one.unresolved));
  const broken = found.some((one) => one.broken);
  const address = found.every((one) => one.used.has('sender.postalAddress'));
  return {
    lint: broken || unresolved.size > 0 ? 'fail' : address ? 'pass' : 'warn',
    unresolvedVars: unresolved.size,
    address,
    optOut: found.every((one) => one.used.has('unsubscribeUrl')),
    tone: found.some((one) => one.pressing) ? 'pressure_lint' : 'neutral_lint',
    problems: found.flatMap((one) => one.problems),
  };
}

interface Found {
  readonly broken: boolean;
  /** Variables of the text; one in the subject alone tells nobody where to unsubscribe. */
  readonly used: ReadonlySet<string>;
  readonly unresolved: readonly string[];
  readonly pressing: boolean;
  readonly problems: readonly string[];
}

function lintOne({ name, subject, text }: NamedTemplate): Found {
  const inSubject = variablesOf(subject);
  const inText = variablesOf(text);
  const faults = [
    ...('fault' in inSubject ? [`the subject is no Liquid: ${inSubject.fault}`] : []),
    ...('fault' in inText ? [`the text is no Liquid: ${inText.fault}`] : []),
  ];
  const used = new Set('names' in inText ? inText.names : []);
  const all = new Set([...('names' in inSubject ? inSubject.names : []), ...used]);
  const unresolved = [...all].filter((variable) => !isKnown(variable));
  const pressure = pressureIn(subject, text);
  const problems = [
    ...faults,
    ...unresolved.map(unresolvedSentence),
    ...('names' in inText && !used.has('unsubscribeUrl')
      ? ['the text does not mention `unsubscribeUrl`']
      : []),
    ...('names' in inText && !used.has('sender.postalAddress')
      ? ['the text does not mention `sender.postalAddress`']
      : []),
    ...pressure,
  ];
  return {
    broken: faults.length > 0,
    used,
    unresolved,
    pressing: pressure.length > 0,
    problems: problems.map((problem) => `${name}: ${problem}`),
  };
}

const isKnown = (variable: string): boolean => (TEMPLATE_VARIABLES as readonly string[]).includes(variable);

function unresolvedSentence(variable: string): string {
  const meant = nearestWord(variable, TEMPLATE_VARIABLES);
  return `nothing fills in \`${variable}\`${meant === undefined ? '' : `; did you mean \`${meant}\`?`}`;
}

/** In memory only: a template can include no other file. */
const liquid = new Liquid({ strictFilters: true, ownPropertyOnly: true, templates: {} });

function variablesOf(source: string): { names: readonly string[] } | { fault: string } {
  try {
    const parsed: LiquidTemplate[] = liquid.parse(source);
    const segments = liquid.globalVariableSegmentsSync(parsed);
    return { names: [...new Set(segments.map((path) => path.map(segmentName).join('.')))] };
  } catch (error) {
    return { fault: (error as Error).message.split('\n')[0]! };
  }
}

/** A segment that is itself a variable (`sender[role]`) names nothing that is known. */
const segmentName = (segment: unknown): string => (Array.isArray(segment) ? '[]' : String(segment));

const LETTERS_OF_A_SHOUT_MIN = 4;

function pressureIn(subject: string, text: string): string[] {
  const plainSubject = withoutLiquid(subject);
  const words = ` ${withoutLiquid(`${subject}\n${text}`).toLowerCase().replaceAll('’', "'").replace(/\s+/g, ' ')} `;
  const letters = plainSubject.replace(/[^\p{L}]/gu, '');
  const shouts =
    letters.length >= LETTERS_OF_A_SHOUT_MIN &&
    letters === letters.toUpperCase() &&
    letters !== letters.toLowerCase();
  return [
    ...PRESSURE_WORDS.filter((word) => hasWord(words, word)).map((word) => `\`${word}\` presses the reader`),
    ...(shouts ? ['the subject is all capitals'] : []),
  ];
}

function hasWord(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    const around = `${text[at - 1] ?? ' '}${text[at + word.length] ?? ' '}`;
    if (!/[\p{L}\p{N}]/u.test(around)) return true;
  }
  return false;
}

const withoutLiquid = (text: string): string => text.replace(/\{\{.*?\}\}|\{%.*?%\}/gs, ' ');
