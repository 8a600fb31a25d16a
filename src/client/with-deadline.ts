import { systemRuntime, type Runtime } from '../core/runtime.js';
import { shared, type Criticality } from '../core/shared.js';
import * as check from '../core/check.js';
import { headerOf, type InboundRequest } from './inbound-headers.js';
import {
  CRITICALITY_HEADER,
  GRPC_TIMEOUT_HEADER,
  parseCriticality,
  parseGrpcTimeout,
  parseTimeoutMs,
  TIMEOUT_HEADER,
} from './propagation.js';

/**
 * Runs `fn`; every call that a fairlead client makes meanwhile, however deep, gets no more than what is left of `ms`, and
 * tells its instance how much that is (`x-request-timeout-ms`). An outer deadline that is tighter stays in force.
 *
 * @param ms time from now, in ms, >= 0; 0 refuses every call
 * @param runtime whose clock counts. @default the system's
 */
export const withDeadline = <T>(ms: number, fn: () => T, runtime: Runtime = systemRuntime): T => {
  check.number('withDeadline: ms', ms, { min: 0 });
  return within({ ms, criticality: undefined, runtime }, fn);
};

/**
 * The same with the time that the caller of this service still waits, so that a chain of services never works for somebody
 * who has left. Reads `x-request-timeout-ms` and `grpc-timeout`, the tighter one, and `x-request-criticality`; what is
 * malformed, or longer than a day, counts as missing. Without a deadline `fn` runs with that of its surroundings. It never
 * gives more time than the caller asked for, nor a call more than its own `deadlineMs`.
 *
 * ```ts
 * app.use((request, response, next) => withInboundDeadline(request, next));
 * ```
 * @param request a request of `node:http`, a web `Request`, or its headers
 * @param runtime whose clock counts. @default the system's
 */
export const withInboundDeadline = <T>(request: InboundRequest, fn: () => T, runtime: Runtime = systemRuntime): T => {
  const header = headerOf('withInboundDeadline: request', request);
  const ms = Math.min(parseTimeoutMs(header(TIMEOUT_HEADER)), parseGrpcTimeout(header(GRPC_TIMEOUT_HEADER)));
  return within({ ms, criticality: parseCriticality(header(CRITICALITY_HEADER)), runtime }, fn);
};

/** Runs `fn`; the calls made meanwhile tell how much they matter (`x-request-criticality`). The deadline stays as it is. */
export const withCriticality = <T>(criticality: Criticality, fn: () => T, runtime: Runtime = systemRuntime): T => {
  if (parseCriticality(criticality) !== criticality)
    throw new TypeError(
      `withCriticality: expected "critical-plus", "critical", "sheddable-plus" or "sheddable", got ${JSON.stringify(criticality)}`,
    );
  return within({ ms: Infinity, criticality, runtime }, fn);
};

/** Ms until the deadline of the surroundings, 0 once it has passed; Infinity without one. For work that is not a call. */
export const remainingMs = (): number => {
  const outer = shared.context.getStore();
  return outer === undefined ? Infinity : Math.max(0, outer.deadlineAt - outer.runtime.now());
};

interface Surroundings {
  readonly ms: number;
  readonly criticality: Criticality | undefined;
  readonly runtime: Runtime;
}

const within = <T>({ ms, criticality, runtime }: Surroundings, fn: () => T): T => {
  const outer = shared.context.getStore();
  const deadlineAt = runtime.now() + Math.min(ms, remainingMs());
  const told = { propagates: true, criticality: criticality ?? outer?.criticality };
  return shared.context.run({ ...outer, ...told, deadlineAt, runtime }, fn);
};
