/**
 * - `INIT`           warming up and not registered yet: nobody can find it
 * - `READY`          in the registry
 * - `SHUTTING_DOWN`  out of the registry; answers who still calls, and finishes what is in flight
 * - `TERMINATED`     served its last request, released everything
 */
export type ServiceState = 'INIT' | 'READY' | 'SHUTTING_DOWN' | 'TERMINATED';

/** Where something went wrong. */
export type LifecyclePhase = 'server' | 'ready' | 'register' | 'deregister' | 'drain' | 'release';

interface Base {
  readonly service: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** What a registered service tells of its life. */
export type LifecycleEvent = Base &
  (
    | { readonly type: 'state'; readonly state: ServiceState; readonly from: ServiceState }
    /** The entry is in the registry. */
    | { readonly type: 'registration.made'; readonly id: string; readonly address: string; readonly port: number }
    /** Not in the registry yet, though nothing else is missing: told after 5 s, 10 s, 20 s and so on. */
    | { readonly type: 'registration.late'; readonly waitedMs: number }
    /** The entry is gone, or not confirmed any more; the registry's adapter puts it back. */
    | { readonly type: 'registration.lost'; readonly id: string; readonly cause: unknown }
    | { readonly type: 'registration.restored'; readonly id: string }
    /** All requests have ended; `cut`: those that had not within `drainMs`. */
    | { readonly type: 'server.drained'; readonly durationMs: number; readonly cut: number }
    /** `retryInMs`: it is tried again by itself, after that many ms. */
    | {
        readonly type: 'error';
        readonly phase: LifecyclePhase;
        readonly error: unknown;
        readonly retryInMs?: number | undefined;
      }
  );

export type LifecycleEventType = LifecycleEvent['type'];
export type LifecycleEventOf<T extends LifecycleEventType> = Extract<LifecycleEvent, { readonly type: T }>;
export type LifecycleHappening = LifecycleEvent extends infer E
  ? E extends LifecycleEvent
    ? Omit<E, keyof Base>
    : never
  : never;
