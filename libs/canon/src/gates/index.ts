import { contextInsufficientGate } from './context-insufficient.ts';
import type { Gate } from './gate.ts';
import { humanAuthorityRequiredGate } from './human-authority-required.ts';
import { identityUnauthenticatedGate } from './identity-unauthenticated.ts';
import { lawfulBasisAbsentGate } from './lawful-basis-absent.ts';
import { mailboxIncapableGate } from './mailbox-incapable.ts';
import { notEntitledGate } from './not-entitled.ts';
import { operatorFreezeGate } from './operator-freeze.ts';
import { recipientSuppressedGate } from './recipient-suppressed.ts';
import { replyOrDuplicateRiskGate } from './reply-or-duplicate-risk.ts';
import { reputationUnsafeGate } from './reputation-unsafe.ts';

/** Ten gates, hardest first; the order is that of DISPATCH_BLOCKERS. */
export const GATES: readonly Gate[] = [
  operatorFreezeGate,
  recipientSuppressedGate,
  lawfulBasisAbsentGate,
  notEntitledGate,
  identityUnauthenticatedGate,
  mailboxIncapableGate,
  reputationUnsafeGate,
  replyOrDuplicateRiskGate,
  contextInsufficientGate,
  humanAuthorityRequiredGate,
];
