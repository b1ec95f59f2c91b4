import { z } from 'zod';
import type { Credentials } from '../credentials.ts';
import { defineProbe, type Probe } from '../probe/define-probe.ts';
import { askProvider, type ProviderLook } from './ask-provider.ts';
import { PROVIDER_FACTS, providerAnswers } from './provider-answers.ts';
import { PROVIDER_STYLES } from './provider-request.ts';
import { type ProviderWindow, withLook } from './provider-window.ts';

/** `providers/<id>.json` in the folder of credentials. */
const accessSchema = z.strictObject({
  style: z.enum(PROVIDER_STYLES),
  baseUrl: z.url({ protocol: /^https?$/ }),
  key: z.string().regex(/^[!-~]+$/),
  deep: z
    .strictObject({
      model: z.string().min(1),
      tokenLimit: z.enum(['max_tokens', 'max_completion_tokens']).exactOptional(),
    })
    .exactOptional(),
});

const TIMEOUT_MS = 30_000;
/** Of a process that just started: as many as the default policy wants before it believes a figure. */
const FIRST_ASKS = 5;

const isBeginning = (look: ProviderLook, window: ProviderWindow): boolean =>
  look.kind === 'answered' && look.errorClass === 'none' && window.length < FIRST_ASKS;

/** AI providers, by the ids that tenants name. One is looked at once for all of them. */
export function providerProbe(credentials: Credentials): Probe<string> {
  const windows = new Map<string, ProviderWindow>();
  return defineProbe<string>({
    name: 'provider-probe',
    layer: 'provider_health',
    facts: PROVIDER_FACTS,
    targets: ({ aiProvider }) => (aiProvider === null ? [] : [{ source: aiProvider, params: aiProvider }]),
    asset: (provider) => provider,
    fate: (provider) => provider,
    async look({ params: provider, nowMs, signal }) {
      const access = await credentials.read(['providers', provider], accessSchema);
      if (!access) return { answers: [] };
      const { key, ...target } = access;
      const question = { ...target, key: async () => key, timeoutMs: TIMEOUT_MS };
      let window = windows.get(provider) ?? [];
      let look: ProviderLook;
      do {
        look = await askProvider(question, { nowMs, signal });
        window = withLook(window, look, nowMs);
        // What was measured stays, however the rest ends.
        windows.set(provider, window);
      } while (isBeginning(look, window) && Date.now() - nowMs < TIMEOUT_MS);
      const waitSec = look.kind === 'answered' ? (look.retryAfterSec ?? 0) : 0;
      return { answers: providerAnswers(look, window, nowMs), waitMs: waitSec * 1000 };
    },
    /** Two looks may be lost before what is known is too old. */
    cadence({ maxAgeSec }) {
      const intervalMs = (maxAgeSec.providerHealth * 1000) / 4;
      return { intervalMs, failingMs: intervalMs, unknownMs: Math.min(15_000, intervalMs) };
    },
    timeoutMs: TIMEOUT_MS * 2 + 1_000,
    tries: 1,
  });
}
