import type { ConversationState } from '../words.ts';
import { becauseRequest, defineGate, Findings, unknownOrStale } from './gate.ts';

const ORDER = [
  'clear',
  'stale',
  'unknown',
  'replied',
  'out_of_office',
  'touched_by_colleague',
  'unresolved_outcome',
  'duplicate',
] as const;

const AWAITED: ReadonlySet<ConversationState> = new Set(['reply_owed', 'commitment_due']);

export const replyOrDuplicateRiskGate = defineGate({
  blocker: 'reply_or_duplicate_risk',
  outcomes: [
    { name: 'clear', decision: 'APPROVE' },
    { name: 'stale', decision: 'HOLD_FOR_CONTEXT' },
    { name: 'unknown', decision: 'HOLD_FOR_REPLY_RISK' },
    { name: 'replied', decision: 'HOLD_FOR_REPLY_RISK' },
    { name: 'out_of_office', decision: 'HOLD_FOR_REPLY_RISK' },
    { name: 'touched_by_colleague', decision: 'HOLD_FOR_REPLY_RISK' },
    { name: 'unresolved_outcome', decision: 'HOLD_FOR_HUMAN_REVIEW' },
    { name: 'duplicate', decision: 'BLOCK' },
  ],
  faulted: 'unknown',
  ask({ recipient, action, reading }) {
    const found = new Findings<(typeof ORDER)[number]>(ORDER);
    const source = action.importSource;
    switch (recipient.conversation) {
      case 'none':
        found.add('clear');
        break;
      // Whoever waits for this very message is no reason to be silent; but only for the mailbox that wrote to them.
      case 'reply_owed':
      case 'commitment_due':
        found.add(
          recipient.lastMailbox === action.mailbox ? 'clear' : 'unknown',
          ...(recipient.lastMailbox === action.mailbox
            ? []
            : [becauseRequest('data', source, 'conversation', 'conversation_unknown', 'client', 'unknown')]),
        );
        break;
      case 'unknown':
        found.add(
          'unknown',
          becauseRequest('data', source, 'conversation', 'conversation_unknown', 'orchestrate', 'unknown'),
        );
        break;
      default:
        found.add(
          recipient.conversation,
          becauseRequest('data', source, 'conversation', recipient.conversation, 'client'),
        );
    }
    // A later step answers to a conversation that this mailbox must be able to see.
    if (action.step > 1 || AWAITED.has(recipient.conversation)) {
      const replies = reading.fact('mailbox', action.mailbox, 'canReadReplies');
      if (replies.value !== true) {
        found.add(
          unknownOrStale(replies),
          becauseRequest(
            'mailbox',
            action.mailbox,
            'canReadReplies',
            'conversation_unknown',
            replies.verdict === 'unknown' ? replies.owner : 'client',
            'unknown',
          ),
        );
      }
    }
    if (recipient.unresolvedOutcome) {
      found.add(
        'unresolved_outcome',
        becauseRequest('pacing', action.mailbox, 'unresolvedOutcomes', 'outcome_unresolved', 'operator'),
      );
    }
    if (recipient.duplicate) {
      found.add(
        'duplicate',
        becauseRequest('campaign', action.campaign, 'touch', 'touched_before', 'client'),
      );
    }
    return found.worst();
  },
});
