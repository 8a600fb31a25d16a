import type { Call, Dispatch } from '../core/call.js';
import type { EventOf, EventType } from '../core/events.js';
import type { ServiceInstance } from '../core/instance.js';
import type { Transport } from '../core/transport.js';
import { DiscoveryClient } from '../discovery/discovery-client.js';
import { deadlineTimers } from '../layers/deadline.js';
import { Permits } from '../machines/permits.js';
import { RetryBudget } from '../machines/retry-budget.js';
import { Pool } from '../pool/pool.js';
import { attemptTimers } from './attempt.js';
import * as check from './check.js';
import { EventHub } from './event-hub.js';
import { fetchTransport } from './fetch-transport.js';
import { InFlight } from './in-flight.js';
import type { CallFunction, ServiceCallOptions } from './invocation.js';
import { LogicalCall } from './logical-call.js';
import { toOutbound } from './outbound.js';
import type { Classify } from './classify.js';
import { functionParts, responseParts, type UsualTimers, type Work } from './parts.js';
import { pipeline } from './pipeline.js';
import { closed, Readiness } from './readiness.js';
import type { ServiceClientOptions } from './options.js';
import { checkCallOptions, resolveOptions, type ResolvedOptions } from './resolve-options.js';
import { Runner } from './runner.js';
import type { ServiceClient, ServiceRequestInit } from './service-client.js';
import { takeSnapshot, type ClientSnapshot } from './snapshot.js';

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
export const createServiceClient = (options: ServiceClientOptions): ServiceClient =>
  new Client(resolveOptions(options));

/** The facade: builds the parts once, starts calls, and lets go of everything. */
class Client implements ServiceClient {
  readonly service: string;
  readonly #options: ResolvedOptions;
  readonly #events: EventHub;
  readonly #discovery: DiscoveryClient;
  readonly #transport: Transport;
  readonly #pool: Pool;
  readonly #permits: Permits | undefined;
  readonly #budget: RetryBudget | undefined;
  readonly #timers: UsualTimers;
  readonly #dispatchFetch: Dispatch<Response>;
  readonly #dispatchCall: Dispatch<unknown>;
  readonly #inFlight = new InFlight();
  readonly #unsubscribe: () => void;
  readonly #readiness: Readiness;
  readonly #runner: Runner;
  #state: ClientSnapshot['state'] = 'open';
  #closing: Promise<void> | undefined;

  constructor(options: ResolvedOptions) {
    const { service, runtime, bulkhead, retry } = options;
    this.service = service;
    this.#options = options;
    this.#events = new EventHub(service, options);
    this.#readiness = new Readiness(service, runtime);
    this.#runner = new Runner({ service, runtime, events: this.#events, inFlight: this.#inFlight });
    this.#discovery = options.discovery ?? ownDiscovery(options);
    this.#transport = options.transport ?? fetchTransport(runtime, { mode: options.redirects, service });
    this.#permits = bulkhead ? new Permits(bulkhead.maxInFlight, bulkhead.maxQueue) : undefined;
    this.#budget = retry ? new RetryBudget(retry.budget) : undefined;
    this.#timers = usualTimers(options);
    this.#pool = new Pool({
      ...options,
      events: this.#events,
      left: endpoint => this.#transport.left?.(endpoint),
      refused: instance => this.#discovery.reportRefused(instance),
    });
    const shared = {
      options,
      pool: this.#pool,
      events: this.#events,
      permits: this.#permits,
      budget: this.#budget,
      timers: this.#timers,
      known: (call: Call) => this.#discovery.whenKnown(service, call.cancellation.signal),
    };
    this.#dispatchFetch = pipeline(responseParts(shared, this.#transport));
    this.#dispatchCall = pipeline(functionParts(shared));
    this.#unsubscribe = this.#discovery.subscribe(service, {
      changed: ({ instances, held, unknown }) => {
        if (unknown === undefined) this.#pool.update(instances, held);
        else this.#pool.forget();
        if (instances.length > 0) this.#readiness.known();
      },
      happened: happening => this.#events.emit?.(happening),
    });
  }

  readonly fetch = (input: string | URL | Request, init?: ServiceRequestInit): Promise<Response> => {
    try {
      const policy = init?.fairlead;
      if (policy !== undefined) checkCallOptions(policy, 'init.fairlead');
      const seed = toOutbound(input, init, this.service);
      return this.#start(this.#dispatchFetch, new LogicalCall(this.#options, seed, policy));
    } catch (error) {
      return Promise.reject(error);
    }
  };

  call<T>(fn: CallFunction<T>, options?: ServiceCallOptions<T>): Promise<T> {
    try {
      if (typeof fn !== 'function')
        throw new TypeError(`${this.service}: call() expected a function, got ${String(fn)}`);
      if (options !== undefined) checkCallOptions(options, 'options', ['classify', 'signal']);
      check.ofType('options.classify', options?.classify, 'function');
      const work: Work = { fn, classify: options?.classify as Classify<unknown> | undefined };
      const signal = options?.signal;
      const seed = { request: undefined, protocol: undefined, idempotent: false, replayable: true, signal, work };
      return this.#start(this.#dispatchCall as Dispatch<T>, new LogicalCall(this.#options, seed, options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  instances(): readonly ServiceInstance[] {
    return [...this.#pool.endpoints].map(endpoint => endpoint.instance);
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
      discovery: { known: this.#pool.known, ageMs: status?.ageMs ?? null, stale: status?.stale ?? true },
      pool: this.#pool,
      budget: this.#budget,
      permits: this.#permits,
      now: this.#options.runtime.now(),
    });
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
    if (this.#options.discovery === undefined) await this.#discovery.close();
    await this.#transport.close?.();
    this.#timers.deadlines?.close();
    this.#timers.attempts?.close();
    this.#state = 'closed';
  }

  #start<R>(dispatch: Dispatch<R>, call: LogicalCall): Promise<R> {
    return this.#state === 'open' ? this.#runner.run(dispatch, call) : Promise.reject(closed(this.service));
  }
}

const usualTimers = ({ runtime, deadlineMs, attemptTimeoutMs }: ResolvedOptions): UsualTimers => ({
  deadlines: deadlineMs === Infinity ? undefined : deadlineTimers(deadlineMs, runtime),
  attempts: attemptTimeoutMs === false ? undefined : attemptTimers(attemptTimeoutMs, runtime),
});

const ownDiscovery = ({ registry, runtime, includeWarning, discoveryPolicy }: ResolvedOptions): DiscoveryClient =>
  new DiscoveryClient({ registry: registry!, runtime, includeWarning, ...discoveryPolicy });
