import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  buildTruth,
  CANONICAL_BLOCKER_LAYERS,
  type LayerCondition,
  NO_CAUSES,
  policyDigestOf,
  policySchema,
} from '@orchestrate/canon';
import { VERSION } from './define-message.ts';

export const DIGEST = 'a'.repeat(64);
export const AT_MS = Date.parse('2026-03-02T10:00:00Z');
const file = join(import.meta.dirname, '../../policies/default.json');
export const POLICY = policySchema.parse(JSON.parse(readFileSync(file, 'utf8')));

export const envelope = () => ({
  v: VERSION,
  id: randomUUID(),
  tenantId: 'acme',
  causedBy: 'EVIDENCE/12',
});

export const action = {
  campaign: 'spring',
  step: 1,
  mailbox: 'anna',
  domain: 'main',
  importSource: 'crm',
  recipientKey: DIGEST,
  recipientVerified: true,
  prospect: 'verified_import',
  conversation: 'none',
  templateDigest: DIGEST,
};

export const request = () => ({
  ...envelope(),
  dispatchId: 'd-1',
  requestedBy: 'test',
  requestedAtMs: AT_MS,
  action,
});

export const condition: LayerCondition = {
  tenantId: 'acme',
  layer: 'continuity_window',
  source: 'main',
  enabled: true,
  state: 'scheduled',
  bucket: 'orchestrate_working',
  owner: 'orchestrate',
  reason: 'holiday',
  facts: [
    {
      fact: 'window.open',
      value: false,
      verdict: 'pass',
      severity: 'none',
      reason: 'ok',
      owner: 'orchestrate',
      required: true,
      observedAtMs: AT_MS,
      expiresAtMs: null,
      everPassed: true,
      passingSinceMs: AT_MS,
    },
  ],
  causes: {
    ...NO_CAUSES,
    closures: { holiday: { untilMs: null } },
    graces: { 'window.open': { untilMs: AT_MS, spent: true } },
  },
  risks: [{ risk: 'clock_or_scheduler_fault', level: 'high', phase: 'active' }],
  validUntilMs: null,
};

export const truth = () =>
  buildTruth({
    tenantId: 'acme',
    conditions: CANONICAL_BLOCKER_LAYERS.map((layer) => ({ ...condition, layer })),
    policy: POLICY,
    policyDigest: policyDigestOf(POLICY),
    previous: null,
    atMs: AT_MS,
  });
