import type { InstancePatch, ServiceInstance } from '../core/instance.js';
import type { Registration } from '../core/registry.js';
import type { LifecycleEventOf, LifecycleEventType, ServiceState } from '../core/lifecycle-events.js';
import type { HealthHandler } from './health.js';
import type { ReleaseHook } from './release.js';

/** One instance of a service, from its start to its end. */
export interface RegisteredService {
  readonly service: string;
  readonly state: ServiceState;
  /** As it is, or will be, in the registry; `undefined` until address and port are known. */
  readonly instance: ServiceInstance | undefined;
  /** How its entry stands: `none` before the first time. */
  readonly registration: Registration['state'] | 'none';
  /** Requests that the server has begun and not answered to the end. */
  readonly inFlight: number;
  /**
   * A handler for `/health`, of node:http, Express or Fastify: 200 while `READY`, else 503, with a small JSON body. It may be
   * detached. For a readiness probe: before it is registered an instance is not ready, or a rollout would go on replacing
   * instances that callers know by ones that they do not.
   */
  readonly health: HealthHandler;
  /** Resolves when it is `READY`. Rejects with `REGISTRATION_FAILED` or a TypeError when the start failed, or was late. */
  ready(): Promise<void>;
  /**
   * Changes the entry while the instance runs: `{ weight: 0 }` takes it out of traffic, a weight above 0 brings it back;
   * `metadata` replaces what was there. Before the entry is there, the change becomes part of it. Rejects with
   * `REGISTRATION_FAILED` when shutting down, with a TypeError for what cannot be, and as the registry does.
   */
  update(patch: InstancePatch): Promise<void>;
  /** Returns how to unsubscribe. A listener that throws becomes one process warning. */
  on<T extends LifecycleEventType>(type: T, listener: (event: LifecycleEventOf<T>) => void): () => void;
  /** Adds what is to be released at the end, before all that was there; returns how to take it back. */
  onRelease(hook: ReleaseHook): () => void;
  /**
   * Out of the registry, on serving for `propagationMs`, no new connections, requests in flight to their end, hooks. Every
   * call returns the same promise; it never rejects (what went wrong is an `error` event), and does not end the process.
   */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
