import type { InstanceInput, InstancePatch, ServiceInstance } from './instance.js';
import type { Runtime } from './runtime.js';

/** Something a registry said that fairlead could not use, or lost touch with: told, never thrown. */
export interface RegistryProblem {
  readonly kind: 'bad-entry' | 'duplicate-address' | 'unreachable' | 'other';
  /** A sentence for people. No credentials. */
  readonly message: string;
  /** Id or key of the entry concerned. */
  readonly entry?: string | undefined;
  readonly cause?: unknown;
}

export interface WatchContext {
  readonly signal: AbortSignal;
  readonly runtime: Runtime;
  /** Bad entries and the like. */
  report(problem: RegistryProblem): void;
}

/**
 * Who is there?
 *
 * A watch yields the full set as soon as it is known ([] included) and after each change, conflated: a late reader gets
 * the newest only. An abort ends it quietly; ending otherwise, or throwing, means that the connection was lost.
 * A watch never resumes after a gap: it throws, and DiscoveryClient starts anew. Connections open at first use and end
 * with the last watch and registration.
 */
export interface Registry {
  readonly name: string;
  watch(service: string, context: WatchContext): AsyncIterable<readonly ServiceInstance[]>;
  /** One read. Rejects when the registry does not answer: never [] for an error. */
  discover(service: string, context?: Partial<WatchContext>): Promise<readonly ServiceInstance[]>;
  /** Ends all watches, registrations and connections at once. */
  close(): Promise<void>;
}

export interface RegisterOptions {
  /** Gives up the first registration; later ones are tried for ever, until `deregister()`. */
  readonly signal?: AbortSignal | undefined;
  /** How long the entry outlives a process that died, in ms; >= 1 000. @default 15_000 */
  readonly ttlMs?: number | undefined;
}

/** A registry that can be written to. Lease, session and heartbeat are its business; registrations restore themselves. */
export interface Registrar {
  /** Resolves once the entry is there. Rejects with `REGISTRATION_FAILED`, or a TypeError for a bad instance. */
  register(instance: InstanceInput, options?: RegisterOptions): Promise<Registration>;
}

export type RegistrationEvent = 'lost' | 'restored' | 'error';

export interface Registration {
  readonly id: string;
  readonly state: 'registered' | 'lost' | 'closed';
  /** Returns how to unsubscribe. `error` is handed what went wrong; it is never thrown. */
  on(type: RegistrationEvent, listener: (cause?: unknown) => void): () => void;
  update(patch: InstancePatch): Promise<void>;
  /** Never rejects: an entry that cannot be removed now ends with its TTL. */
  deregister(): Promise<void>;
}

/** Where policy options are watched, to be applied without a restart. */
export interface ConfigSource {
  watch(context: WatchContext): AsyncIterable<unknown>;
}
