import type { Runtime } from '../../core/runtime.js';
import type { Route } from './route.js';

export interface Ask {
  readonly method: 'GET' | 'PUT';
  /** From `/v1` on, escaped. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[]>> | undefined;
  readonly body?: object | undefined;
  /** Shared by the agents that are tried, with at least 1 000 for each: one may keep silent. A held request tries one. */
  readonly timeoutMs: number;
  readonly runtime: Runtime;
  readonly signal?: AbortSignal | undefined;
  /** Is sent even after `close()`: the removal of what was written. */
  readonly farewell?: boolean | undefined;
  /** @default that of all reads */
  readonly route?: Route | undefined;
}

/** A response with any status; `body` is decoded JSON or text. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: unknown;
  /** Of the agent that gave it; undefined with a client of the caller's. */
  readonly url?: string | undefined;
}

/** Consul waits with its answer until something changes. */
export const isHeld = (ask: Ask): boolean => ask.query?.['index'] !== undefined;
