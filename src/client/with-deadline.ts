import { systemRuntime, type Runtime } from '../core/runtime.js';
import { shared } from '../core/shared.js';
import * as check from './check.js';

/**
 * Runs `fn`; every call that a fairlead client makes meanwhile, however deep, gets no more than what is left of `ms`.
 * An outer deadline that is tighter stays in force.
 *
 * @param ms time from now, in ms, >= 0
 * @param runtime whose clock counts. @default the system's
 */
export const withDeadline = <T>(ms: number, fn: () => T, runtime: Runtime = systemRuntime): T => {
  check.number('withDeadline: ms', ms, { min: 0 });
  const outer = shared.context.getStore();
  const leftMs = outer === undefined ? ms : Math.min(ms, outer.deadlineAt - outer.runtime.now());
  return shared.context.run({ deadlineAt: runtime.now() + leftMs, runtime }, fn);
};
