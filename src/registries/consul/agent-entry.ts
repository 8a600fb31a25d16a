/** The requests about one entry on the agent. Each rejects with an error that says whether trying again may help. */
import { FairleadError } from '../../core/errors.js';
import type { InstanceStatus, ServiceInstance } from '../../core/instance.js';
import type { Answer, Ask, Connection } from './connection.js';
import { checkIdOf, checkOf, definitionOf, type ConsulCheck } from './definition.js';
import type { Settings } from './options.js';

export interface EntryPlan {
  readonly connection: Connection;
  readonly settings: Settings;
  readonly check: ConsulCheck;
  readonly ttlMs: number;
}

const PULSE = { passing: 'pass', warning: 'warn', critical: 'fail' } as const;

export class AgentEntry {
  /** Its check is a TTL: its status is what its owner says. */
  readonly ownStatus: boolean;
  readonly #plan: EntryPlan;

  constructor(plan: EntryPlan) {
    this.#plan = plan;
    this.ownStatus = 'ttl' in plan.check;
  }

  /**
   * Registers it, or replaces what is registered under its id. Rejects with REGISTRATION_FAILED when Consul refuses it.
   *
   * @param status undefined: it keeps the one it has
   */
  async write(instance: ServiceInstance, status: InstanceStatus | undefined, signal?: AbortSignal): Promise<void> {
    const { connection, settings, check, ttlMs } = this.#plan;
    const body = definitionOf(instance, checkOf(check, instance, ttlMs), { status, namespace: settings.namespace });
    const ask = this.#asking({ method: 'PUT', path: '/v1/agent/service/register', body, signal });
    const answer = await connection.ask(ask);
    if (!accepted(answer)) {
      const refusal = connection.refusal(ask, answer);
      if (answer.status >= 500 || answer.status === 408 || answer.status === 429) throw refusal;
      throw new FairleadError('REGISTRATION_FAILED', refusal.message, { service: instance.service });
    }
    // The agent prefers the status that it remembers of an entry with this id, the last process's too, to the one written.
    if (this.ownStatus) await this.#pulseTtl(instance, signal);
  }

  /** Tells the agent that its owner lives. False: the agent does not know it. */
  async pulse(instance: ServiceInstance, signal: AbortSignal): Promise<boolean> {
    const { connection } = this.#plan;
    // For an unknown check, 1.8 answers 500 and later ones 404: writing it anew is right for anything but a yes.
    if (this.ownStatus) return this.#pulseTtl(instance, signal);
    const ask = this.#asking({ method: 'GET', path: `/v1/agent/service/${encodeURIComponent(instance.id)}`, signal });
    const answer = await connection.ask(ask);
    if (accepted(answer)) return true;
    if (answer.status === 404) return false;
    throw connection.refusal(ask, answer);
  }

  async remove(id: string): Promise<void> {
    const path = `/v1/agent/service/deregister/${encodeURIComponent(id)}`;
    const ask = this.#asking({ method: 'PUT', path, farewell: true });
    const answer = await this.#plan.connection.ask(ask);
    // 404: later versions say so of an entry that is gone already.
    if (!accepted(answer) && answer.status !== 404) throw this.#plan.connection.refusal(ask, answer);
  }

  async #pulseTtl({ id, status }: ServiceInstance, signal: AbortSignal | undefined): Promise<boolean> {
    const path = `/v1/agent/check/${PULSE[status]}/${encodeURIComponent(checkIdOf(id))}`;
    return accepted(await this.#plan.connection.ask(this.#asking({ method: 'PUT', path, signal })));
  }

  #asking(what: Pick<Ask, 'method' | 'path' | 'body' | 'signal' | 'farewell'>): Ask {
    const { namespace, requestTimeoutMs, runtime } = this.#plan.settings;
    const query = namespace === undefined ? {} : { ns: namespace };
    return { ...what, query, timeoutMs: requestTimeoutMs, runtime };
  }
}

const accepted = ({ status }: Answer): boolean => status >= 200 && status < 300;
