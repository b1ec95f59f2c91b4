import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CANONICAL_BLOCKER_LAYERS,
  FACTS,
  GATES,
  RATIONALE_CODES,
  RATIONALE_QUESTIONS,
  RISK_NAMES,
} from '@orchestrate/canon';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  citation,
  decidingOutcome,
  FACT_NAMES,
  FACT_WORDS,
  gateOutcome,
  isAnswerTo,
  isOutcomeOf,
  RULINGS,
  rationaleCode,
  restsOn,
} from './audit-words.ts';
import { riskSchema } from './layer.ts';

const accepts = (schema: { safeParse(value: unknown): { success: boolean } }, value: unknown) =>
  schema.safeParse(value).success;

describe('what the canon says can be recorded [A4]', () => {
  test('every fact of every layer, as a reason and as a citation of its own layer', () => {
    for (const layer of CANONICAL_BLOCKER_LAYERS) {
      for (const fact of Object.keys(FACTS[layer])) {
        expect(accepts(restsOn, fact), fact).toBe(true);
        expect(accepts(citation, `${layer}/main/${fact}`), `${layer}/${fact}`).toBe(true);
      }
    }
  });

  test('every outcome of every gate, and of no other gate', () => {
    for (const { blocker, outcomes } of GATES) {
      for (const { name } of outcomes) {
        expect(accepts(gateOutcome, name) && accepts(decidingOutcome, name)).toBe(true);
        expect(isOutcomeOf(blocker, name)).toBe(true);
      }
      expect(isOutcomeOf(blocker, 'hold_expired')).toBe(false);
    }
  });

  test('every answer to every question', () => {
    for (const question of RATIONALE_QUESTIONS) {
      const { supports, opposes } = RATIONALE_CODES[question];
      for (const code of [...supports, ...opposes]) {
        expect(accepts(rationaleCode, code) && isAnswerTo(question, code), code).toBe(true);
      }
    }
  });

  test('every risk', () => {
    const { risk } = riskSchema(z.object).shape;
    expect(RISK_NAMES.filter((name) => !accepts(risk, name))).toEqual([]);
  });

  // A gate names what it rests on in its own words where no fact is at hand; one that were not on the list would
  // make every decision that rests on it impossible to record.
  test('every name by which a gate tells what it rests on', () => {
    const sources = globSync(join(import.meta.dirname, '../../libs/canon/src/{gates/*,decide}.ts'));
    const named = sources
      .filter((file) => !file.includes('.test'))
      .flatMap((file) =>
        [...readFileSync(file, 'utf8').matchAll(NAMES_A_FACT)].map((match) => match[1] ?? match[2]),
      );
    expect(named.length).toBeGreaterThan(15);
    expect(named.filter((name) => !accepts(restsOn, name))).toEqual([]);
  });
});

/** The third argument of `becauseRequest`, and `fact:` of a reason written out. */
const NAMES_A_FACT = /becauseRequest\(\s*[^,()]+,\s*[^,()]+,\s*'([^']+)'|\bfact: '([^']+)'/g;

describe('what it does not say cannot [A4]', () => {
  test.each([
    'pacing/anna/spf',
    'moods/anna/band',
    'pacing/Anna/band',
    'pacing//band',
    'band',
    'pacing/a/band/b',
  ])('`%s` is no citation', (text) => {
    expect(accepts(citation, text)).toBe(false);
    expect(accepts(citation, `${text}\n`)).toBe(false);
  });

  test('a dot in the name of a fact is a dot', () => {
    expect(accepts(citation, 'continuity_window/main/window.open')).toBe(true);
    expect(accepts(citation, 'continuity_window/main/windowXopen')).toBe(false);
  });

  test('no word of one list passes for one of another', () => {
    expect(accepts(gateOutcome, RULINGS[0])).toBe(false);
    expect(accepts(decidingOutcome, RULINGS[0])).toBe(true);
    expect(isAnswerTo('whyNow', 'verified_import')).toBe(false);
    expect(accepts(restsOn, 'quarantined')).toBe(false);
    expect(FACT_WORDS).toContain('quarantined');
    expect(FACT_NAMES).not.toContain('quarantined');
  });
});
