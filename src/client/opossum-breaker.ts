import type { EventEmitter } from 'node:events';

/** Opossum's counts of the window, as its dashboards and exporters read them. */
export interface OpossumStats {
  /** Attempts that were admitted. Other than with opossum's own `fire`, refused ones are in `rejects` only. */
  readonly fires: number;
  readonly successes: number;
  readonly failures: number;
  /** Those of the failures that our timers ended. */
  readonly timeouts: number;
  readonly rejects: number;
  readonly fallbacks: number;
  readonly cacheHits: number;
  readonly cacheMisses: number;
  readonly semaphoreRejections: number;
  /** -1: not kept, since that costs memory for each call. Latencies come with `success` and `failure`. */
  readonly latencyMean: number;
  readonly percentiles: Readonly<Record<string, number>>;
  readonly latencyTimes: readonly number[];
}

/**
 * The service's breaker: an instance of npm `opossum`, for whatever works with one (`opossum-prometheus`, a Hystrix stream,
 * your own listeners). It is fed with what the client's attempts do, and `open()` and `close()` act on the client; `fire()`
 * rejects, as calls are made through the client.
 *
 * Its events: `fire`, `reject`, `success` (undefined, ms), `failure` (error, ms), `timeout` (error, ms), `open`, `halfOpen`,
 * `close`, `shutdown`. Typed here by what it has, since opossum ships no types.
 */
export interface OpossumBreaker extends EventEmitter {
  /** The service. */
  readonly name: string;
  readonly group: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly stats: OpossumStats;
  /** Emits `snapshot` with the stats each tenth of the window, while somebody listens. */
  readonly status: EventEmitter & { readonly stats: OpossumStats; readonly window: readonly OpossumStats[] };
  readonly closed: boolean;
  readonly opened: boolean;
  readonly halfOpen: boolean;
  /** Half-open, and a probe would be let through. */
  readonly pendingClose: boolean;
  /** False after `disable()`: attempts pass, and are not counted. */
  readonly enabled: boolean;
  readonly isShutdown: boolean;
  readonly warmUp: boolean;
  readonly volumeThreshold: number;
  /** Refuses attempts for the open time, then tries. Nothing while it is open. */
  open(): void;
  /** Admits attempts again, and counts anew. */
  close(): void;
  enable(): void;
  disable(): void;
  /** Ends it, and its listeners; the client goes on without a breaker. `client.close()` does this. */
  shutdown(): void;
  toJSON(): unknown;
}
