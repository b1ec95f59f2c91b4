import { digestOfBytes } from '@orchestrate/canon';
import { describe, expect, it } from 'vitest';
import { check } from './check.ts';
import { P, POLICY, type SoundStore, slot, soundStore, TENANT } from './sound-store.test-support.ts';
import { commandMessage, configMessage, evidenceMessage, requestMessage } from './tenant.ts';

const wrong = (store: SoundStore) => check(store.operations, store.contents, POLICY);
/** What is wrong after one thing was changed in a store in which all is in order. */
function planted(change: (store: SoundStore) => void) {
  const store = soundStore();
  change(store);
  return wrong(store);
}
const found = (kind: string, where: string) => expect.objectContaining({ kind, where });
const evidence = (value: string) => evidenceMessage(TENANT, 'sending_domain', 'main', { spf: value });

/** A record without the links that every change behind it would break as well. */
function recordAt(store: SoundStore, seq: number, change: object): void {
  store.edit('DECISIONS', seq, () => change);
  relink(store);
}
function relink(store: SoundStore): void {
  const seqs = store.streams.DECISIONS.map(({ seq }) => seq);
  seqs.forEach((seq, at) => {
    const before = store.streams.DECISIONS[at - 1];
    const prevHash = before ? digestOfBytes(before.data) : '0'.repeat(64);
    store.edit('DECISIONS', seq, () => ({ ordinal: at + 1, prevSeq: before?.seq ?? 0, prevHash }));
  });
}

it('in a store in which all is in order nothing is found', () => {
  expect(wrong(soundStore())).toEqual([]);
});

describe('what was sent and what stands there', () => {
  it('a message that was acknowledged and is gone is lost', () => {
    expect(planted((store) => store.drop('EVIDENCE', 1))).toEqual([found('lost', 'EVIDENCE/1')]);
  });

  it('a message that is another one than was acknowledged is lost, and what stands there was never sent', () => {
    const violations = planted((store) => store.edit('CONFIG', 1, () => ({ id: 'another' })));
    expect(violations).toEqual([found('lost', 'CONFIG/1'), found('unexpected', 'CONFIG/1')]);
  });

  it('a message that stands there twice is doubled', () => {
    const violations = planted(({ streams: { OPERATOR } }) => OPERATOR.push({ ...OPERATOR[0]!, seq: 9 }));
    expect(violations).toContainEqual(found('doubled', 'OPERATOR/9'));
  });

  it('a message that nobody sent, or that was refused, is unexpected', () => {
    const message = evidence('fail');
    expect(
      planted((store) => void store.put('EVIDENCE', message.storedSubject, message.data)),
    ).toContainEqual(found('unexpected', 'EVIDENCE/4'));
    const refused = planted((store) => {
      store.journal.end(store.invoke(message), { state: 'refused', problem: 'full' });
      store.put('EVIDENCE', message.storedSubject, message.data);
    });
    expect(refused).toContainEqual(found('unexpected', 'EVIDENCE/4'));
  });

  it('a message of which nobody knows whether it was stored may be there or not', () => {
    const message = configMessage(TENANT, 2);
    expect(planted((store) => void store.invoke(message))).toEqual([]);
    const stored = planted((store) => {
      store.invoke(message);
      store.put('CONFIG', message.storedSubject, message.data);
      store.streams.LAYERS.splice(-1, 1);
    });
    expect(stored).not.toContainEqual(found('unexpected', 'CONFIG/2'));
  });
});

describe('what came of it', () => {
  it('a request without a decision has had no effect', () => {
    expect(planted((store) => void store.send(requestMessage(TENANT, 4)))).toContainEqual(
      found('no_effect', `${TENANT}/d-4`),
    );
  });

  it('a dispatch that is let out twice is found', () => {
    const violations = planted((store) => store.decided(1, 1, { kind: 'APPROVE', attempt: 2 }));
    expect(violations).toContainEqual(found('two_releases', `${TENANT}/d-1`));
  });

  it('a dispatch that is decided after its end, or twice as the same attempt, has two effects', () => {
    const ended = planted((store) => store.decided(3, 3, { kind: 'HOLD_FOR_CONTEXT', attempt: 2 }));
    expect(ended).toEqual([found('two_effects', `${TENANT}/d-3`)]);
    const twice = planted((store) => recordAt(store, 6, { attempt: 1 }));
    expect(twice).toContainEqual(found('two_effects', `${TENANT}/d-2`));
  });

  it('a decision on what nobody asked for is unexpected, and so is one for another request', () => {
    expect(planted((store) => store.decided(7, 9, { kind: 'BLOCK' }))).toEqual([
      found('unexpected', `${TENANT}/d-7`),
    ]);
    expect(planted((store) => recordAt(store, 7, { requestSeq: 8 }))).toEqual([
      found('unexpected', `${TENANT}/d-3`),
    ]);
  });

  it('a command that is not on record, twice on record, or on record and never given, is found', () => {
    expect(planted((store) => void store.send(commandMessage(TENANT, 'unfreeze')))).toContainEqual(
      found('no_effect', 'OPERATOR/3'),
    );
    const twice = planted((store) => store.record('INTERVENTION', { command: 'freeze', commandSeq: 2 }));
    expect(twice).toContainEqual(found('two_effects', 'OPERATOR/2'));
    const never = planted((store) => store.record('APPROVAL', { commandSeq: 5 }));
    expect(never).toEqual([found('unexpected', 'DECISIONS/8')]);
  });

  it('a command for everybody is owed to who was declared long before it, and to nobody of another partition', () => {
    const forAll = (p: number, afterMs: number) =>
      planted((store) => {
        const { data } = commandMessage('_all', 'freeze');
        const subject = `operator.${p}._all.freeze`;
        const message = {
          kind: 'command',
          stream: 'OPERATOR',
          subject,
          storedSubject: subject,
          data,
        } as const;
        const seq = store.send(message);
        const stored = store.streams.OPERATOR.pop()!;
        store.streams.OPERATOR.push({ ...stored, seq, storedAtMs: stored.storedAtMs + afterMs });
      }).filter(({ kind }) => kind === 'no_effect');
    expect(forAll(P, 10_000)).toEqual([found('no_effect', 'OPERATOR/3')]);
    expect(forAll(P, 0)).toEqual([]);
    expect(forAll(P + 1, 10_000)).toEqual([]);
  });

  it('an outcome that is not on record, or twice, is found', () => {
    const missing = planted((store) => {
      store.drop('DECISIONS', 5);
      relink(store);
    });
    expect(missing).toEqual([found('no_effect', 'OUTCOMES/1')]);
    const twice = planted((store) => store.record('OUTCOME', { dispatchId: 'd-1', outcomeSeq: 1 }));
    expect(twice).toContainEqual(found('two_effects', 'OUTCOMES/1'));
  });

  it('what nobody understands has to be rejected, and what is in order must not be', () => {
    expect(planted((store) => store.drop('REJECTED', 1))).toEqual([found('not_rejected', 'EVIDENCE/3')]);
    const skipped = planted((store) => {
      const rejection = { stream: 'EVIDENCE', seq: 2, reason: 'process_deaths', service: 'x', issues: [] };
      store.put('REJECTED', 'rejected.EVIDENCE.process_deaths', rejection);
    });
    expect(skipped).toContainEqual(found('rejected', 'EVIDENCE/2'));
  });
});

describe('the chain of a tenant', () => {
  it('is broken where a record is missing, changed or names another one', () => {
    expect(planted((store) => store.drop('DECISIONS', 3))).toContainEqual(
      found('broken_link', 'DECISIONS/4'),
    );
    const changed = planted((store) => store.edit('DECISIONS', 1, () => ({ codeVersion: '9.9.9' })));
    expect(changed).toEqual([found('broken_link', 'DECISIONS/2')]);
    const doubled = planted((store) => store.edit('DECISIONS', 7, () => ({ prevSeq: 5 })));
    expect(doubled).toEqual([found('broken_link', 'DECISIONS/7')]);
  });

  it('takes requests, commands and outcomes in the order in which they were stored', () => {
    const violations = planted((store) => recordAt(store, 4, { commandSeq: 1 }));
    expect(violations).toContainEqual(found('went_back', 'DECISIONS/4'));
    const requests = planted((store) => recordAt(store, 7, { requestSeq: 1 }));
    expect(requests).toContainEqual(found('went_back', 'DECISIONS/7'));
    const outcomes = planted((store) => store.record('OUTCOME', { dispatchId: 'd-1', outcomeSeq: 1 }));
    expect(outcomes).toContainEqual(found('went_back', 'DECISIONS/8'));
  });

  it('never spends more than the cap, the same slot, or the same approval', () => {
    const where = `${TENANT}: anna on 2026-03-02`;
    const over = planted((store) => {
      store.send(requestMessage(TENANT, 4));
      store.decided(4, 4, { kind: 'APPROVE', reserved: slot(3) });
      store.edit('LEDGER', 1, () => ({
        inputs: { REQUESTS: 4, OPERATOR: 2, OUTCOMES: 1, CONFIG: 1, TRUTH: 2 },
      }));
    });
    expect(over).toEqual([found('overspent', where)]);
    expect(planted((store) => recordAt(store, 6, { reserved: slot(1) }))).toEqual([
      found('overspent', where),
    ]);
    const approved = planted((store) => recordAt(store, 1, { approvalId: 'a-9' }));
    expect(approved).toEqual([found('overspent', `${TENANT}: a-9`)]);
  });
});

describe('layers and truths', () => {
  const layer = (seq: number) => ({
    store: (change: object) => (one: SoundStore) => one.edit('LAYERS', seq, () => change),
  });

  it('a source that forgets an input has gone back', () => {
    const violations = planted((store) =>
      store.edit('LAYERS', 3, () => ({ inputs: { EVIDENCE: 2, CONFIG: 0, OPERATOR: 2 } })),
    );
    expect(violations).toEqual([found('went_back', `layer.${P}.${TENANT}.sending_domain.main`)]);
  });

  it('evidence that its source does not know of is not reflected', () => {
    const unfolded = planted((store) => {
      store.send(evidence('fail'));
    });
    expect(unfolded).toContainEqual(found('not_reflected', 'EVIDENCE/4'));
    const elsewhere = planted((store) => {
      store.send(evidenceMessage(TENANT, 'billing', 'main', { paymentMethod: 'valid' }));
      store.edit('LAYERS', 5, () => ({ inputs: { EVIDENCE: 4, CONFIG: 1, OPERATOR: 2 } }));
    });
    expect(elsewhere).toEqual([found('not_reflected', 'EVIDENCE/4')]);
  });

  it('what a mark vouches for has to be what was told, also where nothing was worth a condition', () => {
    const vouched = (value: string) =>
      planted((store) => {
        store.send(evidence(value));
        store.edit('LAYERS', 5, () => ({ inputs: { EVIDENCE: 4, CONFIG: 1, OPERATOR: 2 } }));
      });
    expect(vouched('fail')).toEqual([]);
    expect(vouched('pass')).toEqual([found('not_reflected', 'EVIDENCE/4')]);
  });

  it('a hold or a freeze that a layer does not show is not reflected', () => {
    const held = planted((store) => {
      const target = { layer: 'sending_domain', source: 'main', cause: 'chaos' } as const;
      store.send(commandMessage(TENANT, 'release_layer', { target: target }));
    });
    expect(held).toContainEqual(found('not_reflected', 'OPERATOR/3'));
    const frozen = planted((store) => void store.send(commandMessage(TENANT, 'unfreeze')));
    expect(frozen).toContainEqual(found('not_reflected', 'OPERATOR/3'));
  });

  it('a fingerprint that is not that of its layers is wrong', () => {
    const ofLayer = planted((store) =>
      store.edit('TRUTH', 2, ({ layerFingerprints }) => ({
        layerFingerprints: { ...layerFingerprints, billing: 'f'.repeat(64) },
      })),
    );
    expect(ofLayer).toContainEqual(found('wrong_fingerprint', 'TRUTH/2'));
    const ofAll = planted((store) => store.edit('TRUTH', 1, () => ({ fingerprint: 'f'.repeat(64) })));
    expect(ofAll).toEqual([found('wrong_fingerprint', 'TRUTH/1')]);
  });

  it('an epoch that is skipped or repeated, and a truth on older inputs, have gone back', () => {
    expect(planted((store) => store.edit('TRUTH', 2, () => ({ epoch: 3 })))).toEqual([
      found('went_back', 'TRUTH/2'),
    ]);
    expect(planted((store) => store.edit('TRUTH', 2, () => ({ epoch: 1 })))).toEqual([
      found('went_back', 'TRUTH/2'),
    ]);
    expect(planted((store) => store.edit('TRUTH', 2, () => ({ inputSeq: 0 })))).toContainEqual(
      found('went_back', 'TRUTH/2'),
    );
  });

  it('a truth that does not say what its newest conditions say is not reflected', () => {
    const violations = planted(layer(4).store({ facts: [{ fact: 'freeze', value: true, verdict: 'fail' }] }));
    expect(violations).toEqual([found('not_reflected', `truth.${P}.${TENANT}`)]);
    expect(planted((store) => store.drop('TRUTH', 2))).toContainEqual(
      found('not_reflected', `truth.${P}.${TENANT}`),
    );
  });

  it('a mark whose positions or time become less has gone back', () => {
    const positions = planted(layer(5).store({ inputs: { EVIDENCE: 3, CONFIG: 0, OPERATOR: 2 } }));
    expect(positions).toContainEqual(found('went_back', `layer.${P}`));
    expect(planted(layer(5).store({ asOfMs: 1 }))).toEqual([found('went_back', `layer.${P}`)]);
  });

  it('an input above the mark of its partition still waits', () => {
    const violations = planted((store) => {
      store.edit('LEDGER', 1, () => ({
        inputs: { REQUESTS: 2, OPERATOR: 2, OUTCOMES: 1, CONFIG: 1, TRUTH: 2 },
      }));
    });
    expect(violations).toEqual([found('not_settled', `ledger.${P}`)]);
  });
});
