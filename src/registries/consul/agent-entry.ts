/**
 * The requests about one entry. Each rejects with an error that says whether trying again may help. An entry lives on one
 * agent; when that one cannot be reached it is written to the next, and a copy may be left where it was.
 */
import { FairleadError } from '../../core/errors.js';
import type { InstanceStatus, ServiceInstance } from '../../core/instance.js';
import type { Answer, Ask } from './ask.js';
import type { Connection } from './connection.js';
import { checkIdOf, checkOf, definitionOf, type ConsulCheck, type ConsulRegisterOptions } from './definition.js';
import type { Settings } from './options.js';
import type { Route } from './route.js';
import type { Entry } from '../shared/entry.js';

export interface EntryPlan {
  readonly id: string;
  readonly connection: Connection;
  readonly settings: Settings;
  readonly check: ConsulCheck;
  readonly ttlMs: number;
  readonly taggedAddresses?: ConsulRegisterOptions['taggedAddresses'];
}

const PULSE = { passing: 'pass', warning: 'warn', critical: 'fail' } as const;

export class AgentEntry implements Entry {
  readonly name: string;
  /** Its check is a TTL: its status is what its owner says. */
  readonly ownStatus: boolean;
  readonly #plan: EntryPlan;
  /** Its own: that a read failed is no reason to move. */
  readonly #route: Route;

  constructor(plan: EntryPlan) {
    this.#plan = plan;
    this.#route = plan.connection.newRoute();
    this.name = `consul entry ${plan.id}`;
    this.ownStatus = 'ttl' in plan.check;
  }

  /**
   * Registers it, or replaces what is registered under its id. Rejects with REGISTRATION_FAILED when Consul refuses it.
   *
   * @param status undefined: it keeps the one it has
   */
  async write(instance: ServiceInstance, status: InstanceStatus | undefined, signal?: AbortSignal): Promise<void> {
    const { connection, settings, check, ttlMs, taggedAddresses } = this.#plan;
    const { namespace } = settings;
    const body = definitionOf(instance, checkOf(check, instance, ttlMs), { status, namespace, taggedAddresses });
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

  /** From every agent that may have it: a request that had no answer may have arrived. */
  async remove(): Promise<void> {
    const { connection, id } = this.#plan;
    const path = `/v1/agent/service/deregister/${encodeURIComponent(id)}`;
    const removals = [...this.#route.used].map(async url => {
      const ask = this.#asking({ method: 'PUT', path, farewell: true, route: connection.newRoute([url]) });
      const answer = await connection.ask(ask);
      // 404: later versions say so of an entry that is gone already.
      if (!accepted(answer) && answer.status !== 404) throw connection.refusal(ask, answer);
    });
    const failed = (await Promise.allSettled(removals)).find(({ status }) => status === 'rejected');
    if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
  }

  async #pulseTtl({ id, status }: ServiceInstance, signal: AbortSignal | undefined): Promise<boolean> {
    const path = `/v1/agent/check/${PULSE[status]}/${encodeURIComponent(checkIdOf(id))}`;
    return accepted(await this.#plan.connection.ask(this.#asking({ method: 'PUT', path, signal })));
  }

  #asking(what: Pick<Ask, 'method' | 'path' | 'body' | 'signal' | 'farewell' | 'route'>): Ask {
    const { namespace, requestTimeoutMs, runtime } = this.#plan.settings;
    const query = namespace === undefined ? {} : { ns: namespace };
    return { route: this.#route, ...what, query, timeoutMs: requestTimeoutMs, runtime };
  }
}

const accepted = ({ status }: Answer): boolean => status >= 200 && status < 300;
