import type { Outcome } from './outcome.js';
import type { Ending, Source } from './record.js';
import type { RegistryProblem } from './registry.js';

interface Base {
  readonly service: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** Everything a client tells. Names are `noun.verb`; ids are those of the registry. */
export type ClientEvent = Base &
  (
    | {
        readonly type: 'call.ended';
        readonly method: string;
        readonly durationMs: number;
        readonly attempts: number;
        readonly outcome: Outcome;
        /** Whose answer the caller got. */
        readonly servedFrom: Source;
        /** Which rule ended it. */
        readonly endedBy: Ending;
        readonly status?: number | undefined;
        readonly error?: unknown;
      }
    | {
        readonly type: 'call.fallback';
        /** What the caller would have got: the code of an error, or a status. */
        readonly code: string | undefined;
        readonly status: number | undefined;
        readonly error: unknown;
      }
    | {
        readonly type: 'call.stale';
        /** How long the answer has been stale. */
        readonly staleMs: number;
        /** What the server said instead; `undefined`: nothing. */
        readonly status: number | undefined;
      }
    | {
        readonly type: 'attempt.ended';
        readonly instance: string;
        /** `'CALL'` for `client.call()`. */
        readonly method: string;
        readonly attempt: number;
        readonly durationMs: number;
        readonly outcome: Outcome;
        readonly status?: number | undefined;
        readonly error?: unknown;
      }
    | {
        readonly type: 'call.retried';
        readonly attempt: number;
        readonly delayMs: number;
        readonly reason: string;
        /** What is tried again: an answer with this status, or what was thrown. */
        readonly status?: number | undefined;
        readonly error?: unknown;
      }
    /** A second attempt started beside one that takes long; `attempt` is its number. */
    | { readonly type: 'call.hedged'; readonly attempt: number; readonly afterMs: number }
    | { readonly type: 'call.refused'; readonly code: string; readonly message: string }
    | { readonly type: 'body.failed'; readonly instance: string; readonly error: unknown }
    | {
        readonly type: 'instance.down';
        readonly instance: string;
        /** What its calls said, what it asked for itself (`Retry-After`), or what health checks said. */
        readonly cause: 'calls' | 'asked' | 'checks';
        readonly reason: string;
        readonly forMs: number;
      }
    | { readonly type: 'instance.up'; readonly instance: string; readonly afterMs: number }
    | {
        /** An instance that is out was tried by one call. */
        readonly type: 'instance.probed';
        readonly instance: string;
        readonly ok: boolean;
        /** Why it stays out, and for how long. */
        readonly reason?: string;
        readonly forMs?: number;
      }
    | {
        readonly type: 'instances.changed';
        readonly known: number;
        readonly added: readonly string[];
        readonly removed: readonly string[];
      }
    | { readonly type: 'instances.held'; readonly held: readonly string[]; readonly reason: string }
    | { readonly type: 'panic.entered'; readonly eligible: number; readonly members: number }
    | { readonly type: 'panic.left'; readonly eligible: number; readonly members: number }
    | { readonly type: 'breaker.opened'; readonly reason: string; readonly forMs: number }
    | { readonly type: 'breaker.half-opened'; readonly afterMs: number }
    | { readonly type: 'breaker.closed'; readonly reason: string; readonly afterMs: number }
    | { readonly type: 'registry.lost'; readonly registry: string; readonly error: unknown; readonly retryInMs: number }
    | { readonly type: 'registry.restored'; readonly registry: string; readonly afterMs: number }
    /** `client.update` changed these options. */
    | { readonly type: 'client.updated'; readonly options: readonly string[] }
    | { readonly type: 'registry.problem'; readonly registry: string; readonly problem: RegistryProblem }
  );

export type EventType = ClientEvent['type'];
export type EventOf<T extends EventType> = Extract<ClientEvent, { readonly type: T }>;

/** An event before the client adds its service and the time. */
export type Happening = ClientEvent extends infer E ? (E extends ClientEvent ? Omit<E, keyof Base> : never) : never;

/** Where parts of a client tell what happened. `undefined` while nobody listens: `emit?.({ … })` then costs one check. */
export interface Emitter {
  readonly emit: ((happening: Happening) => void) | undefined;
}
