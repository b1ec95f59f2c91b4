import { randomUUID } from 'node:crypto';
import { digestOfBytes, partitionOf } from '@orchestrate/canon';
import { ALL_TENANTS, sendCommand } from '@orchestrate/client';
import {
  decisionRecorded,
  type InterventionRecorded,
  interventionRecorded,
  type RecordKind,
  VERSION,
} from '@orchestrate/contracts';
import { activatePolicy, type Broker, encode } from '@orchestrate/messaging';
import { eventually } from '@orchestrate/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GAPLESS_POLICY, type PlatformFixture, startPlatformFixture } from './platform-fixture.ts';
import {
  chainOf,
  command,
  configure,
  decided,
  decisions,
  expectUnbroken,
  observeMailbox,
  readyTenant,
  rejections,
  request,
  truthOf,
} from './tenant-fixture.ts';

let fixture: PlatformFixture;
let broker: Broker;
beforeAll(async () => {
  fixture = await startPlatformFixture({
    services: [{ name: 'layer-runtime' }, { name: 'truth-aggregator' }, { name: 'dispatch-governance' }],
  });
  broker = fixture.broker;
});
afterAll(() => fixture[Symbol.asyncDispose]());

/** A tenant whose sends need a person, and its first hold. */
async function heldForReview(tenantId: string) {
  await readyTenant(broker, tenantId, { mode: 'approval_required' });
  await request(broker, tenantId, 1);
  return decided(broker, tenantId, 1, { kind: 'HOLD_FOR_HUMAN_REVIEW', lane: 'person' });
}

async function recordsOf<K extends RecordKind>(tenantId: string, kind: K) {
  return (await chainOf(broker, tenantId)).filter((link) => link.record.kind === kind);
}

async function rejectedCommand(seq: number) {
  return eventually('the command is rejected', async () =>
    (await rejections(broker)).find(
      (one) => one.stream === 'OPERATOR' && one.seq === seq && one.service === 'dispatch-governance',
    ),
  );
}

describe('a hold for a person', () => {
  it('is approved by an approval of its exact action, on record before it takes effect, and only once [A14 G28]', async () => {
    const held = await heldForReview('approved');
    const about = { dispatchId: 'd-1', actionDigest: held.actionDigest };
    const commandSeq = await command(broker, 'approved', 'approve', about);
    const approved = await decided(broker, 'approved', 1, { kind: 'APPROVE', trigger: 'operator' });
    const [approval] = await recordsOf('approved', 'APPROVAL');
    expect(approval?.record).toMatchObject({ commandSeq, actor: 'olga', ...about });
    expect(approval!.record.ordinal).toBeLessThan(approved.ordinal);
    expect(approved.approvalId).toBe((approval!.record as { approvalId: string }).approvalId);
    expect(approved.rationale.find((one) => one.question === 'whyDispatchSafe')?.code).toBe('approval_bound');

    const again = await command(broker, 'approved', 'approve', about);
    expect((await rejectedCommand(again)).issues[0]?.message).toMatch(/`d-1` is no open hold/);
    await request(broker, 'approved', 2);
    await decided(broker, 'approved', 2, { kind: 'HOLD_FOR_HUMAN_REVIEW', approvalId: null });
    expectUnbroken(await chainOf(broker, 'approved'));
  });

  it('is not released by an approval of another action [G28]', async () => {
    const first = await heldForReview('mistaken');
    await request(broker, 'mistaken', 2);
    await decided(broker, 'mistaken', 2, { kind: 'HOLD_FOR_HUMAN_REVIEW' });
    await command(broker, 'mistaken', 'approve', { dispatchId: 'd-2', actionDigest: first.actionDigest });
    const held = await decided(broker, 'mistaken', 2, { kind: 'HOLD_FOR_HUMAN_REVIEW', attempt: 2 });
    expect(held.unblock.map((one) => one.reason)).toContain('approval_mismatch');
    expect((await decisions(broker, 'mistaken')).filter((one) => one.kind === 'APPROVE')).toEqual([]);
  });

  it('is ended for good by a rejection, with its record [A14]', async () => {
    await heldForReview('rejected');
    await command(broker, 'rejected', 'reject', { dispatchId: 'd-1' });
    await decided(broker, 'rejected', 1, { kind: 'BLOCK', decidingOutcome: 'rejected_by_operator' });
    const chain = await chainOf(broker, 'rejected');
    expect(chain.map((link) => link.record.kind)).toEqual(['HOLD_FOR_HUMAN_REVIEW', 'INTERVENTION', 'BLOCK']);
    const late = await command(broker, 'rejected', 'approve', { dispatchId: 'd-1' });
    await rejectedCommand(late);
  });

  it('is still ended when governance dies between the record of the rejection and the block [A14]', async () => {
    await heldForReview('torn');
    const { pid } = fixture.platform.supervisor.list().find((one) => one.name === 'dispatch-governance')!;
    process.kill(pid!, 'SIGSTOP');
    const commandSeq = await command(broker, 'torn', 'reject', { dispatchId: 'd-1' });
    // What the owner would have written as its last act.
    const [{ seq, data, record: head }] = (await chainOf(broker, 'torn')).slice(-1) as [
      Awaited<ReturnType<typeof chainOf>>[number],
    ];
    const record: InterventionRecorded = {
      v: VERSION,
      id: randomUUID(),
      tenantId: 'torn',
      causedBy: `OPERATOR/${commandSeq}`,
      ordinal: head.ordinal + 1,
      prevSeq: seq,
      prevHash: digestOfBytes(data),
      codeVersion: head.codeVersion,
      target: null,
      scope: 'tenant',
      kind: 'INTERVENTION',
      command: 'reject',
      commandSeq,
      actor: 'olga',
      reasonCode: 'reviewed',
      dispatchId: 'd-1',
      recordedAtMs: Date.now(),
    };
    const p = partitionOf('torn');
    await broker.publisher.publish(
      decisionRecorded.subject({ p, tenantId: 'torn', kind: 'INTERVENTION' }),
      encode(interventionRecorded, record),
      { expect: { lastSeq: seq, subject: `decision.${p}.torn.*` } },
    );
    await fixture.platform.supervisor.kill('dispatch-governance-1');
    await decided(broker, 'torn', 1, { kind: 'BLOCK', decidingOutcome: 'rejected_by_operator' });
    expect(await recordsOf('torn', 'INTERVENTION')).toHaveLength(1);
    expectUnbroken(await chainOf(broker, 'torn'));
  });
});

describe('a freeze', () => {
  it('blocks what is asked from then on, and lets the next one pass once it is lifted [G1]', async () => {
    await readyTenant(broker, 'frozen', { capPerDay: 10 });
    await request(broker, 'frozen', 1);
    await decided(broker, 'frozen', 1, { kind: 'APPROVE' });
    await command(broker, 'frozen', 'freeze');
    await eventually('the truth says so', async () => (await stateOf('frozen')) === 'operator_review');
    await request(broker, 'frozen', 2);
    await decided(broker, 'frozen', 2, { kind: 'BLOCK', decidingOutcome: 'frozen', decidingGate: 1 });
    await command(broker, 'frozen', 'unfreeze');
    await eventually('the truth says so', async () => (await stateOf('frozen')) === 'ready');
    await onRecord('frozen', 'unfreeze');
    await request(broker, 'frozen', 3);
    await decided(broker, 'frozen', 3, { kind: 'APPROVE' });
    expect((await recordsOf('frozen', 'INTERVENTION')).map((link) => link.record)).toMatchObject([
      { command: 'freeze' },
      { command: 'unfreeze' },
    ]);
    await decided(broker, 'frozen', 2, { kind: 'BLOCK', attempt: 1 });
  });
});

describe('a freeze of everything', () => {
  it('ends without ending the freeze that a tenant has for its own reason [G31]', async () => {
    await readyTenant(broker, 'abusive');
    await readyTenant(broker, 'innocent');
    await command(broker, 'abusive', 'freeze');
    await everything('freeze');
    for (const tenantId of ['abusive', 'innocent']) {
      await eventually(`${tenantId} is stopped`, async () => (await stateOf(tenantId)) === 'operator_review');
    }
    await request(broker, 'innocent', 1);
    await decided(broker, 'innocent', 1, { kind: 'BLOCK', decidingOutcome: 'frozen' });
    await everything('unfreeze');
    await eventually('the innocent one goes on', async () => (await stateOf('innocent')) === 'ready');
    await onRecord('innocent', 'unfreeze');
    await request(broker, 'innocent', 2);
    await decided(broker, 'innocent', 2, { kind: 'APPROVE' });
    await request(broker, 'abusive', 1);
    await decided(broker, 'abusive', 1, { kind: 'BLOCK', decidingOutcome: 'frozen' });
    expect((await recordsOf('innocent', 'INTERVENTION')).map((link) => link.record)).toMatchObject([
      { command: 'freeze' },
      { command: 'unfreeze' },
    ]);
  });
});

describe('a command for everybody that is read again after a kill', () => {
  it('does not reach a tenant that came later, and still reaches one that declared itself anew [G31]', async () => {
    const newcomer = sharingPartition('elder');
    await readyTenant(broker, 'elder', { mode: 'approval_required' });
    await request(broker, 'elder', 1);
    await decided(broker, 'elder', 1, { kind: 'HOLD_FOR_HUMAN_REVIEW' });
    // Nobody is there to hear of it: whoever comes back reads it when the newcomer is already known.
    const stopped = fixture.platform.supervisor
      .list()
      .filter((one) => one.name !== 'truth-aggregator')
      .map((one) => ({ instance: one.instance, pid: one.pid! }));
    for (const { pid } of stopped) process.kill(pid, 'SIGSTOP');
    await everything('freeze');
    await configure(broker, 'elder', { mode: 'approval_required' });
    await configure(broker, newcomer);
    for (const { instance } of stopped) await fixture.platform.supervisor.kill(instance);
    await decided(broker, 'elder', 1, { kind: 'BLOCK', decidingOutcome: 'frozen' });
    await eventually('the newcomer is frozen by its layer', async () => {
      return (await stateOf(newcomer)) === 'operator_review';
    });
    await everything('unfreeze');
    await onRecord('elder', 'unfreeze');
    await onRecord(newcomer, 'unfreeze');
    const commands = async (tenantId: string) =>
      (await recordsOf(tenantId, 'INTERVENTION')).map(
        (link) => (link.record as InterventionRecorded).command,
      );
    expect(await commands('elder')).toEqual(['freeze', 'unfreeze']);
    expect(await commands(newcomer)).toEqual(['unfreeze']);
  });
});

describe('one person', () => {
  it('is not written to by two mailboxes, nor twice at once by two campaigns [G8]', async () => {
    const tenantId = 'crowded';
    await readyTenant(broker, tenantId, { capPerDay: 10 });
    await configure(broker, tenantId, { capPerDay: 10, colleague: true });
    await observeMailbox(broker, tenantId, 'bert');
    await eventually('the second campaign is ready', async () => {
      const truth = await truthOf(broker, tenantId);
      return truth?.layers.campaign.sources.length === 2 && truth.layers.mailbox.state === 'ready';
    });
    await request(broker, tenantId, 1);
    await decided(broker, tenantId, 1, { kind: 'APPROVE' });
    await request(broker, tenantId, 2, { campaign: 'summer', recipient: 1 });
    await decided(broker, tenantId, 2, { kind: 'HOLD_FOR_CONTEXT', decidingGate: 9 });
    await request(broker, tenantId, 3, { campaign: 'summer', recipient: 1, mailbox: 'bert' });
    await decided(broker, tenantId, 3, {
      kind: 'HOLD_FOR_REPLY_RISK',
      decidingOutcome: 'touched_by_colleague',
    });
  });
});

/** Another tenant's name of the same partition. */
function sharingPartition(tenantId: string): string {
  for (let n = 0; ; n++) {
    const other = `${tenantId}-${n}`;
    if (partitionOf(other) === partitionOf(tenantId)) return other;
  }
}

const everything = (name: 'freeze' | 'unfreeze') =>
  sendCommand(broker, { tenantId: ALL_TENANTS, command: name, actor: 'test', reasonCode: 'incident' });

/** The chain may hear of a command before or after the truth does, and both must have. */
const onRecord = (tenantId: string, command: string) =>
  eventually(`${command} of ${tenantId} is on record`, async () =>
    (await recordsOf(tenantId, 'INTERVENTION')).some(
      (link) => (link.record as InterventionRecorded).command === command,
    ),
  );

const stateOf = async (tenantId: string) => (await truthOf(broker, tenantId))?.layers.governance.state;

describe('a hold for capacity', () => {
  it('is decided again when a new configuration raises the cap, and not beyond it [G26 G29]', async () => {
    await readyTenant(broker, 'growing', { capPerDay: 1 });
    for (const n of [1, 2, 3]) await request(broker, 'growing', n);
    await decided(broker, 'growing', 1, { kind: 'APPROVE' });
    await decided(broker, 'growing', 3, { decidingOutcome: 'cap_reached', lane: 'watch' });
    await configure(broker, 'growing', { capPerDay: 2 });
    await decided(broker, 'growing', 2, { kind: 'APPROVE', attempt: 2 });
    await decided(broker, 'growing', 3, { decidingOutcome: 'cap_reached' });
    expect((await decisions(broker, 'growing')).filter((one) => one.reserved)).toHaveLength(2);
  });
});

describe('a hold that nobody resolves', () => {
  it('ends in a block when its time is over, also when governance was killed in between [G26]', async () => {
    await readyTenant(broker, 'forgotten', { capPerDay: 0 });
    await activatePolicy(broker, {
      ...GAPLESS_POLICY,
      name: 'short',
      dispatch: { ...GAPLESS_POLICY.dispatch, holdValidSec: 2 },
    });
    let n = 0;
    const held = await eventually('a hold that is short', async () => {
      await request(broker, 'forgotten', ++n);
      const one = await decided(broker, 'forgotten', n, { decidingOutcome: 'cap_reached' });
      return one.expiresAtMs! - one.requestedAtMs === 2_000 && one;
    });
    await fixture.platform.supervisor.kill('dispatch-governance-1');
    await decided(broker, 'forgotten', n, {
      kind: 'BLOCK',
      decidingOutcome: 'hold_expired',
      trigger: 'expired',
    });
    expect(held.reserved).toBeNull();
    await activatePolicy(broker, GAPLESS_POLICY);
  });
});
