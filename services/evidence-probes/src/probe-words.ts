/** What PROBES takes: each a kind of source that this service can look at. */
export const PROBE_WORDS = ['dns', 'window', 'mailbox', 'provider', 'billing'] as const;
export type ProbeWord = (typeof PROBE_WORDS)[number];
