import type { Instrument } from '../../client/instrument.js';
import { OpenCalls } from './open-calls.js';
import { tracingAttempt } from './tracing-attempt.js';
import { tracingCall } from './tracing-call.js';
import { checkTracingOptions, type TracingOptions } from './tracing-options.js';
import { tracingParts } from './tracing-parts.js';

/**
 * Spans of OpenTelemetry for the calls of a client: one INTERNAL span for each call, and below it one CLIENT span for each
 * attempt, by OpenTelemetry's stable conventions for HTTP; the context travels with the request. Without an SDK it does
 * nothing, and costs next to nothing. One `tracing()` may serve several clients.
 *
 * ```ts
 * const users = createServiceClient({ service: 'users', registry, instruments: [tracing()] });
 * ```
 * Throws MISSING_PEER without the package `@opentelemetry/api`, and a TypeError that names the option when one is wrong.
 */
export const tracing = (options: TracingOptions = {}): Instrument => {
  checkTracingOptions(options);
  const parts = tracingParts(options);
  // A client builds its layers and attaches itself in one go: what was made since the last one attached is its own.
  let building: OpenCalls | undefined;
  const openCalls = (): OpenCalls => (building ??= new OpenCalls());
  return {
    stage: next => tracingCall(parts, openCalls())(next),
    send: tracingAttempt(parts),
    attach: client => {
      const own = openCalls();
      building = undefined;
      return own.attach(client);
    },
  };
};
