import type { Context, Span, Tracer } from '@opentelemetry/api';
import type { Call, Dispatch, Layer } from '../../core/call.js';
import { callAttributes, callName } from './call-attributes.js';
import { CallTrace, DroppedTrace } from './call-trace.js';
import type { OpenCalls } from './open-calls.js';
import { startSpan, type TracingParts } from './tracing-parts.js';

/** SpanKind.INTERNAL and TraceFlags.SAMPLED: numbers in the API's contract, whose enums would be imports at run time. */
const INTERNAL = 0;
const SAMPLED = 1;
const NO_TRACE = '00000000000000000000000000000000';

/**
 * Says whether a call needs a span of its own, and prepares what it carries on where it needs none. Without an SDK, a look
 * at what is active, and one for the SDK.
 */
export const tracingApplies = (parts: TracingParts): ((call: Call) => boolean) => {
  // Taken once: the package's exports are getters.
  const { context, trace, ROOT_CONTEXT } = parts.api;
  return function applies(call) {
    if (call.trace !== undefined) return call.trace instanceof CallTrace;
    const parent = context.active();
    const above = parent === ROOT_CONTEXT ? undefined : trace.getSpan(parent);
    if (above !== undefined && isDropped(above)) return passedOn(parent, call);
    if (parts.tracer() !== undefined) return !parts.silence.isKept(parent);
    // Without an SDK, a trace of others still goes through this process.
    return above === undefined ? false : passedOn(parent, call);
  };
};

/** Around each call for which the above applies: its span. */
export const tracingCall =
  (parts: TracingParts, open: OpenCalls): Layer<unknown> =>
  next =>
    function tracingCalls(call) {
      if (call.trace !== undefined) return anotherRound(parts, next, call);
      const tracer = parts.tracer();
      if (tracer === undefined) return next(call);
      return begun(parts, { tracer, parent: parts.api.context.active(), open, next }, call);
    };

/**
 * Below a span of this process that was sampled out, the SDK's own rule is to drop the rest too. It is followed here
 * without asking, which is most of what a call would pay. What comes from another process is put to the sampler.
 */
const isDropped = (above: Span): boolean => {
  if (above.isRecording()) return false;
  const { traceFlags, traceId, isRemote } = above.spanContext();
  return (traceFlags & SAMPLED) === 0 && isRemote !== true && traceId !== NO_TRACE;
};

const passedOn = (context: Context, call: Call): false => {
  // What is not HTTP has no headers, and the context stays active anyway.
  if (call.request !== undefined) call.trace = new DroppedTrace(context);
  return false;
};

interface Beginning {
  readonly tracer: Tracer;
  readonly parent: Context;
  readonly open: OpenCalls;
  readonly next: Dispatch<unknown>;
}

const begun = (parts: TracingParts, { tracer, parent, open, next }: Beginning, call: Call): Promise<unknown> => {
  const { api, guarded, hooks } = parts;
  const options = { kind: INTERNAL, attributes: callAttributes(call) };
  const span = startSpan(parts, { tracer, name: callName(call), options, parent });
  if (span === undefined) return next(call);
  const context = api.trace.setSpan(parent, span);
  if (!span.isRecording()) {
    call.trace = new DroppedTrace(context);
    return api.context.with(context, next, undefined, call);
  }
  guarded(() => span.setAttributes(hooks.call?.(call) ?? {}));
  const trace = new CallTrace(parts, { span, context }, open.closed);
  call.trace = trace;
  open.add(trace);
  return within(parts, { trace, next }, call);
};

/** A redirect named the service: the client sends the same call once more. */
const anotherRound = (parts: TracingParts, next: Dispatch<unknown>, call: Call): Promise<unknown> => {
  const { trace } = call;
  return trace instanceof CallTrace && trace.takeRedirect() ? within(parts, { trace, next }, call) : next(call);
};

interface Traced {
  readonly trace: CallTrace;
  readonly next: Dispatch<unknown>;
}

const within = ({ api, guarded }: TracingParts, { trace, next }: Traced, call: Call): Promise<unknown> => {
  const failed = (error: unknown): never => {
    guarded(() => trace.failed(call, error));
    throw error;
  };
  try {
    return api.context.with(trace.context, next, undefined, call).then(result => {
      guarded(() => trace.answered(call, result));
      return result;
    }, failed);
  } catch (error) {
    // A user's layer that throws before it returns a promise.
    return failed(error);
  }
};
