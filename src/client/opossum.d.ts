/** What fairlead uses of opossum, which ships no types. No part of fairlead's own: see OpossumBreaker. */
declare module 'opossum' {
  import type { EventEmitter } from 'node:events';

  interface Bucket {
    readonly fires: number;
    readonly successes: number;
    readonly failures: number;
    latencyTimes: readonly number[];
  }

  interface Status extends EventEmitter {
    readonly stats: Bucket;
    readonly window: Bucket[];
    increment(counter: string, ms?: number): void;
    open(): void;
  }

  class CircuitBreaker extends EventEmitter {
    constructor(action: () => unknown, options: Record<string, unknown>);
    readonly options: Record<string, unknown>;
    get name(): string;
    get group(): string;
    get status(): Status;
    get stats(): Bucket;
    get closed(): boolean;
    get opened(): boolean;
    get halfOpen(): boolean;
    get pendingClose(): boolean;
    get enabled(): boolean;
    get isShutdown(): boolean;
    get warmUp(): boolean;
    get volumeThreshold(): number;
    open(): void;
    close(): void;
    enable(): void;
    disable(): void;
    shutdown(): void;
    call(context: unknown, ...rest: unknown[]): Promise<unknown>;
    toJSON(): unknown;
  }

  // eslint-disable-next-line no-restricted-syntax -- its own shape
  export = CircuitBreaker;
}
