import { evidenceObserved } from '@orchestrate/contracts';
import { encode } from '@orchestrate/messaging';
import { describe, expect, it } from 'vitest';
import { type Observation, observationMessage } from './observation.ts';

const seen = (facts: Observation['facts'], rest: Partial<Observation> = {}) =>
  observationMessage(
    { tenantId: 'acme', layer: 'mailbox', source: 'anna', observer: 'smtp', facts, ...rest },
    7,
  );

describe('an observation', () => {
  it('carries a value as a value and no answer as an unknown with its reason, all seen at one time', () => {
    const message = seen({ canSend: true, token: { unknown: 'no_answer' } });
    expect(message.facts).toEqual([
      { fact: 'canSend', value: true, observedAtMs: 7 },
      { fact: 'token', unknown: 'no_answer', observedAtMs: 7 },
    ]);
    expect(seen({ canSend: false }, { observedAtMs: 3 }).facts[0]).toMatchObject({ observedAtMs: 3 });
  });

  it('is refused when the layer has no such fact, or the fact no such value', () => {
    const refused = (facts: Observation['facts']) => () => encode(evidenceObserved, seen(facts));
    expect(refused({ spf: 'pass' })).toThrow(/`spf` is no fact of mailbox/);
    expect(refused({ token: 7 })).toThrow(/`token` takes one of active/);
    expect(refused({ canSend: 'yes' })).toThrow(/`canSend` takes true or false/);
    expect(refused({ canSend: true })).not.toThrow();
  });

  it('of a word that nobody knew when this was written is an unknown that says so', () => {
    const message = seen({ subscriptionStatus: 'dormant' }, { layer: 'billing', source: 'main' });
    expect(message.facts).toEqual([
      { fact: 'subscriptionStatus', unknown: 'unrecognised_value', observedAtMs: 7 },
    ]);
    expect(() => encode(evidenceObserved, message)).not.toThrow();
  });
});
