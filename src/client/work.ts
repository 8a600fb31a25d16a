import * as check from '../core/check.js';
import type { FallbackFunction } from '../layers/fallback.js';
import type { Classify } from './classify.js';
import { refuseUnsafeHedge } from './config-lint.js';
import type { CallFunction, ServiceCallOptions } from './invocation.js';
import type { CallSeed } from './logical-call.js';
import { resolveCallFallback } from './options/fallback.js';
import { checkCallOptions } from './resolve-options.js';

/** What `client.call()` does: the seed of its call, which travels along. Nothing that may be sent twice, unless told. */
export class Work implements CallSeed {
  readonly fn: CallFunction<unknown>;
  readonly classify: Classify<unknown> | undefined;
  readonly signal: AbortSignal | undefined;
  readonly fallback: FallbackFunction<unknown> | undefined;

  constructor(fn: CallFunction<unknown>, options: ServiceCallOptions<unknown> | undefined) {
    this.fn = fn;
    this.classify = options?.classify;
    this.signal = options?.signal;
    this.fallback = options && resolveCallFallback(options.fallback);
  }

  get work(): this {
    return this;
  }

  get request(): undefined {
    return undefined;
  }

  get protocol(): undefined {
    return undefined;
  }

  get idempotent(): boolean {
    return false;
  }

  get replayable(): boolean {
    return true;
  }
}

/** Reads the arguments of `call()`. Throws a TypeError or RangeError that names what is wrong. */
export const toWork = (
  fn: CallFunction<unknown>,
  options: ServiceCallOptions<unknown> | undefined,
  service: string,
): Work => {
  if (typeof fn !== 'function') throw new TypeError(`${service}: call() expected a function, got ${String(fn)}`);
  if (options === undefined) return new Work(fn, undefined);
  checkCallOptions(options, 'options', ['classify', 'signal']);
  check.ofType('options.classify', options.classify, 'function');
  const work = new Work(fn, options);
  refuseUnsafeHedge(work, options, 'options');
  return work;
};
