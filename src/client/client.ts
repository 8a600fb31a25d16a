import { explanationOf } from '../core/errors.js';
import type { EventOf, EventType } from '../core/events.js';
import type { ServiceInstance } from '../core/instance.js';
import type { Transport } from '../core/transport.js';
import { DiscoveryClient } from '../discovery/discovery-client.js';
import { stallWatch } from '../pool/stall-watch.js';
import { callPlan, type CallPlan } from './call-plan.js';
import { clientParts, type ClientParts } from './client-parts.js';
import { refuseUnsafeHedge, warnOfOptions } from './config-lint.js';
import { EventHub } from './event-hub.js';
import { transportOf } from './fetch-transport.js';
import { InFlight } from './in-flight.js';
import { attachAll } from './instrument.js';
import type { CallFunction, ServiceCallOptions } from './invocation.js';
import { LogicalCall, type CallSeed } from './logical-call.js';
import { toOutbound } from './outbound.js';
import { functionParts, responseParts } from './parts.js';
import { withFallback } from './options/fallback.js';
import { Way } from './pipeline.js';
import { closed, Readiness } from './readiness.js';
import type { LogicalCallOptions, ServiceClientOptions } from './options.js';
import { checkCallOptions, resolveOptions, type ResolvedOptions } from './resolve-options.js';
import { Runner } from './runner.js';
import type { ServiceClient, ServiceRequestInit } from './service-client.js';
import { takeSnapshot, type ClientSnapshot } from './snapshot.js';
import { applyUpdate, type ClientUpdate } from './update.js';
import { toWork } from './work.js';

/** How long `close()` lets calls in flight finish. */
const DRAIN_MS = 10_000;

/**
 * Makes a client for one service: instances from a registry, balanced, watched, and retried within a budget.
 * Throws a TypeError or RangeError that names the option when one is wrong.
 *
 * ```ts
 * const users = createServiceClient({ service: 'user-service', registry: consulRegistry() });
 * const response = await users.fetch('/users/42');
 * await users.close();
 * ```
 */
export const createServiceClient = (options: ServiceClientOptions): ServiceClient => {
  const resolved = resolveOptions(options);
  warnOfOptions(resolved);
  return new Client(resolved);
};

/** The facade: builds the parts once, starts calls, and lets go of everything. */
class Client implements ServiceClient {
  readonly service: string;
  readonly breaker: ServiceClient['breaker'];
  readonly #options: ResolvedOptions;
  readonly #events: EventHub;
  readonly #discovery: DiscoveryClient;
  readonly #transport: Transport;
  readonly #parts: ClientParts;
  readonly #fetching: Way<Response>;
  readonly #calling: Way<unknown>;
  /** Of calls without options of their own. */
  readonly #plan: CallPlan;
  readonly #inFlight = new InFlight();
  readonly #unsubscribe: () => void;
  readonly #detach: () => void;
  readonly #readiness: Readiness;
  readonly #runner: Runner;
  #state: ClientSnapshot['state'] = 'open';
  #closing: Promise<void> | undefined;

  constructor(options: ResolvedOptions) {
    const { service, runtime } = options;
    this.service = service;
    this.#options = options;
    this.#plan = callPlan(options);
    this.#events = new EventHub(service, options);
    this.#readiness = new Readiness(service, runtime);
    this.#runner = new Runner({ service, runtime, events: this.#events, inFlight: this.#inFlight });
    this.#discovery = options.discovery ?? ownDiscovery(options);
    this.#transport = transportOf(options);
    this.#parts = clientParts(options, {
      events: this.#events,
      discovery: this.#discovery,
      transport: this.#transport,
    });
    const { pool, health } = this.#parts;
    this.breaker = this.#parts.breaker?.handle;
    this.#fetching = new Way(responseParts(this.#parts, this.#transport));
    this.#calling = new Way(functionParts(this.#parts));
    this.#unsubscribe = this.#discovery.subscribe(service, {
      changed: ({ instances, held, unknown }) => {
        if (unknown === undefined) pool.update(instances, held);
        else pool.forget();
        health?.update([...pool.endpoints].filter(endpoint => pool.uses(endpoint)));
        if (instances.length > 0) this.#readiness.known();
      },
      happened: happening => this.#events.emit?.(happening),
    });
    this.#detach = attachAll(options.instruments, this);
  }

  readonly fetch = (input: string | URL | Request, init?: ServiceRequestInit): Promise<Response> => {
    try {
      const policy = init?.fairlead;
      if (policy !== undefined) checkCallOptions(policy, 'init.fairlead');
      const seed = withFallback(toOutbound(input, init, this.service), policy?.fallback);
      if (policy !== undefined) refuseUnsafeHedge(seed, policy, 'init.fairlead');
      return this.#start(this.#fetching, seed, policy);
    } catch (error) {
      return Promise.reject(error);
    }
  };

  call<T>(fn: CallFunction<T>, options?: ServiceCallOptions<T>): Promise<T> {
    try {
      const work = toWork(fn, options as ServiceCallOptions<unknown> | undefined, this.service);
      return this.#start(this.#calling, work, options) as Promise<T>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  instances(): readonly ServiceInstance[] {
    return [...this.#parts.pool.endpoints].map(endpoint => endpoint.instance);
  }

  ready({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    return this.#readiness.wait(signal);
  }

  snapshot(): ClientSnapshot {
    const { service } = this;
    const status = this.#discovery.status(service);
    return takeSnapshot({
      service,
      state: this.#state,
      inFlight: this.#inFlight.size,
      discovery: { known: this.#parts.pool.known, ageMs: status?.ageMs ?? null, stale: status?.stale ?? true },
      parts: this.#parts,
      now: this.#options.runtime.now(),
    });
  }

  explain(responseOrError: unknown): ReturnType<ServiceClient['explain']> {
    return explanationOf(responseOrError);
  }

  update(changes: ClientUpdate): void {
    applyUpdate(changes, this.#parts);
  }

  on<T extends EventType>(type: T, listener: (event: EventOf<T>) => void): () => void {
    return this.#events.on(type, listener);
  }

  once<T extends EventType>(type: T, listener: (event: EventOf<T>) => void): () => void {
    return this.#events.once(type, listener);
  }

  off<T extends EventType>(type: T, listener: (event: EventOf<T>) => void): void {
    this.#events.off(type, listener);
  }

  close({ timeoutMs = DRAIN_MS }: { readonly timeoutMs?: number | undefined } = {}): Promise<void> {
    return (this.#closing ??= this.#close(timeoutMs));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(timeoutMs: number): Promise<void> {
    this.#state = 'closing';
    this.#readiness.close();
    await this.#inFlight.drain(timeoutMs, this.#options.runtime);
    this.#unsubscribe();
    this.#parts.health?.close();
    if (this.#options.discovery === undefined) await this.#discovery.close();
    await this.#transport.close?.();
    this.#parts.breaker?.close();
    this.#parts.timers.deadlines?.close();
    this.#parts.timers.attempts?.close();
    stallWatch(this.#options.runtime).rest();
    this.#state = 'closed';
    this.#detach();
  }

  #start<R>(way: Way<R>, seed: CallSeed, given: LogicalCallOptions | undefined): Promise<R> {
    const plan = given === undefined ? this.#plan : callPlan(this.#options, given);
    const call = new LogicalCall(this.#options, seed, plan);
    if (this.#state !== 'open') return Promise.reject(closed(this.service));
    return this.#runner.run(given === undefined ? way.plain : way.asking, call);
  }
}

const ownDiscovery = ({ registry, runtime, includeWarning, discoveryPolicy }: ResolvedOptions): DiscoveryClient =>
  new DiscoveryClient({ registry: registry!, runtime, includeWarning, ...discoveryPolicy });
