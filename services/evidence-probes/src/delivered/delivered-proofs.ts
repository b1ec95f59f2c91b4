import type { TenantConfig } from '@orchestrate/contracts';
import type { Logger } from '@orchestrate/service-kit';
import { CredentialFault, type Credentials } from '../credentials.ts';
import type { DnsResolver } from '../dns/dns-answer.ts';
import { resolveWith } from '../dns/resolve.ts';
import type { ConfiguredTenant } from '../handle-tenant-config.ts';
import type { EvidencePublisher } from '../publish-evidence.ts';
import { seedAccess, seedToken } from './seed-address.ts';
import { type SeedIntake, type SeedMessage, startSeedIntake } from './seed-intake.ts';
import { tellProof } from './tell-proof.ts';
import { verifyMessage } from './verify-message.ts';

const VERIFY_MS_MAX = 30_000;

interface Seeded {
  readonly tenantId: string;
  readonly reference: string;
  readonly domain: TenantConfig['domains'][number];
}

interface Means {
  readonly credentials: Credentials;
  readonly resolver: DnsResolver;
  readonly evidence: EvidencePublisher;
  readonly log: Logger;
}

/**
 * Takes the messages that tenants send as proof, verifies them as a receiver would, and tells what was seen. It knows the
 * domains of all tenants, whoever looks at them: a message comes to any instance.
 */
export class DeliveredProofs implements AsyncDisposable {
  readonly #means: Means;
  readonly #secret: string;
  readonly #seeded = new Map<string, Seeded>();
  readonly #tokensOf = new Map<string, readonly string[]>();
  #intake: SeedIntake | null = null;

  private constructor(means: Means, secret: string) {
    this.#means = means;
    this.#secret = secret;
  }

  /** Throws CredentialFault without a secret to make addresses with, and when the port cannot be had. */
  static async listen(
    means: Means,
    place: { readonly host: string; readonly port: number; readonly seedHost: string },
  ): Promise<DeliveredProofs> {
    const access = await means.credentials.read(['seeds'], seedAccess);
    if (!access) throw new CredentialFault('seeds.json: without `secret` there are no addresses to send to');
    const proofs = new DeliveredProofs(means, access.secret);
    proofs.#intake = await startSeedIntake({
      ...place,
      isSeed: (token) => proofs.#seeded.has(token),
      onMessage: (message) => proofs.#take(message),
    });
    return proofs;
  }

  get port(): number {
    return this.#intake!.port;
  }

  watch({ config, reference }: ConfiguredTenant): void {
    const { tenantId } = config;
    this.forget(tenantId);
    const enabled = config.domains.filter((domain) => domain.enabled);
    const tokens = enabled.map((domain) => seedToken(this.#secret, tenantId, domain.id));
    this.#tokensOf.set(tenantId, tokens);
    for (const [index, domain] of enabled.entries()) {
      this.#seeded.set(tokens[index]!, { tenantId, reference, domain });
    }
  }

  forget(tenantId: string): void {
    for (const token of this.#tokensOf.get(tenantId) ?? []) this.#seeded.delete(token);
    this.#tokensOf.delete(tenantId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#intake?.stop();
  }

  /** Rejects when what was seen could not be stored: the sender tries again. */
  async #take({ raw, token, ...origin }: SeedMessage): Promise<void> {
    const seeded = this.#seeded.get(token);
    if (!seeded) return;
    const { tenantId, reference, domain } = seeded;
    const { resolver, evidence, log } = this.#means;
    const signal = AbortSignal.timeout(VERIFY_MS_MAX);
    // Whoever sends a proof has just repaired something: no answer from before counts.
    const resolve = resolveWith(resolver, { signal, isFresh: true });
    const atMs = Date.now();
    const proof = await verifyMessage({ raw, domain: domain.name, resolve, signal, origin });
    if (proof.kind === 'refused') {
      log.info(
        { tenantId, source: domain.id, reason: proof.reason },
        'a message proves nothing of the domain',
      );
      return;
    }
    await tellProof(evidence, { tenantId, source: domain.id, causedBy: reference, atMs }, proof);
  }
}
