import { z } from 'zod';

/** Two shapes of API cover the market: most providers speak the one of OpenAI beside or instead of their own. */
export const PROVIDER_STYLES = ['openai', 'anthropic'] as const;
export type ProviderStyle = (typeof PROVIDER_STYLES)[number];

/** A look that has the model write one token, which costs that token and shows more than a list does. */
export interface DeepLook {
  readonly model: string;
  /**
   * How the `openai` style is told to stop after one token; default `max_tokens`. Reasoning models of OpenAI take
   * `max_completion_tokens` only, and other servers may ignore that one and write on.
   */
  readonly tokenLimit?: 'max_tokens' | 'max_completion_tokens';
}

export interface ProviderTarget {
  readonly style: ProviderStyle;
  /** `https://api.openai.com/v1` and the like for `openai`, `https://api.anthropic.com` for `anthropic`. */
  readonly baseUrl: string;
  /** Without it the models are listed, which is free. */
  readonly deep?: DeepLook;
}

const ANTHROPIC_VERSION = '2023-06-01';

/** Throws when the base URL is none or the key cannot be a header; what it throws may quote them. */
export function providerRequest({ style, baseUrl, deep }: ProviderTarget, key: string): Request {
  const url = new URL(baseUrl);
  url.pathname = url.pathname.replace(/\/*$/, deep ? COMPLETION_PATHS[style] : LISTING_PATHS[style]);
  return new Request(url, {
    method: deep ? 'POST' : 'GET',
    headers: {
      accept: 'application/json',
      ...credentials(style, key),
      ...(deep ? { 'content-type': 'application/json' } : {}),
    },
    body: deep ? JSON.stringify(completion(style, deep)) : null,
    // the API of a provider does not redirect, and a key is not to be carried to wherever somebody points
    redirect: 'manual',
  });
}

/** What a reply of success holds at least; anything else comes from somebody other than the provider's API. */
export function isExpectedReply({ style, deep }: ProviderTarget, reply: unknown): boolean {
  return (deep ? COMPLETIONS[style] : LISTING).safeParse(reply).success;
}

const LISTING_PATHS: Readonly<Record<ProviderStyle, string>> = { openai: '/models', anthropic: '/v1/models' };
const COMPLETION_PATHS: Readonly<Record<ProviderStyle, string>> = {
  openai: '/chat/completions',
  anthropic: '/v1/messages',
};

/** Some servers of the `openai` style list their models without an object around them. */
const LISTING = z.union([z.object({ data: z.array(z.unknown()) }), z.array(z.unknown())]);
const COMPLETIONS = {
  openai: z.object({ choices: z.array(z.unknown()) }),
  anthropic: z.object({ content: z.array(z.unknown()) }),
};

function credentials(style: ProviderStyle, key: string): Record<string, string> {
  return style === 'openai'
    ? { authorization: `Bearer ${key}` }
    : { 'x-api-key': key, 'anthropic-version': ANTHROPIC_VERSION };
}

function completion(style: ProviderStyle, { model, tokenLimit = 'max_tokens' }: DeepLook): object {
  const limit = style === 'openai' ? tokenLimit : 'max_tokens';
  return { model, [limit]: 1, messages: [{ role: 'user', content: 'ping' }] };
}
