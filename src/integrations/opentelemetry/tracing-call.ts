import type { Context, Span, Tracer } from '@opentelemetry/api';
import type { Call } from '../../core/call.js';
import type { Flow, Landing, Stage } from '../../core/flow.js';
import { callAttributes, callName } from './call-attributes.js';
import { CallTrace, DroppedTrace } from './call-trace.js';
import type { OpenCalls } from './open-calls.js';
import { startSpan, type TracingParts } from './tracing-parts.js';

/** SpanKind.INTERNAL and TraceFlags.SAMPLED: numbers in the API's contract, whose enums would be imports at run time. */
const INTERNAL = 0;
const SAMPLED = 1;
const NO_TRACE = '00000000000000000000000000000000';

/**
 * Around each call: its span, where it needs one of its own, and what it carries on where it needs none. It makes no promise:
 * in a process that is traced each of them costs twice. Without an SDK, a look at what is active, and one for the SDK.
 */
export const tracingCall =
  (parts: TracingParts, open: OpenCalls): Stage<unknown> =>
  next => {
    // Taken once: the package's exports are getters.
    const { context: contexts, trace, ROOT_CONTEXT } = parts.api;
    return function tracingCalls(call, landing) {
      if (call.trace !== undefined) return anotherRound(parts, next, { call, landing });
      const parent = contexts.active();
      const above = parent === ROOT_CONTEXT ? undefined : trace.getSpan(parent);
      if (above !== undefined && isDropped(above)) return passedOn(parent, next, { call, landing });
      const tracer = parts.tracer();
      if (tracer !== undefined && !parts.silence.isKept(parent))
        return begin(parts, { tracer, parent, open, next }, { call, landing });
      // Without an SDK, a trace of others still goes through this process.
      if (tracer === undefined && above !== undefined) return passedOn(parent, next, { call, landing });
      next(call, landing);
    };
  };

interface Passing {
  readonly call: Call;
  readonly landing: Landing<unknown>;
}

/**
 * Below a span of this process that was sampled out, the SDK's own rule is to drop the rest too. It is followed here
 * without asking, which is most of what a call would pay. What comes from another process is put to the sampler.
 */
const isDropped = (above: Span): boolean => {
  if (above.isRecording()) return false;
  const { traceFlags, traceId, isRemote } = above.spanContext();
  return (traceFlags & SAMPLED) === 0 && isRemote !== true && traceId !== NO_TRACE;
};

/** What is not HTTP has no headers, and the context stays active anyway. */
const passedOn = (context: Context, next: Flow<unknown>, { call, landing }: Passing): void => {
  if (call.request !== undefined) call.trace = new DroppedTrace(context);
  next(call, landing);
};

interface Beginning {
  readonly tracer: Tracer;
  readonly parent: Context;
  readonly open: OpenCalls;
  readonly next: Flow<unknown>;
}

const begin = (parts: TracingParts, { tracer, parent, open, next }: Beginning, { call, landing }: Passing): void => {
  const { api, guarded, hooks } = parts;
  const options = { kind: INTERNAL, attributes: callAttributes(call) };
  const span = startSpan(parts, { tracer, name: callName(call), options, parent });
  if (span === undefined) return next(call, landing);
  const context = api.trace.setSpan(parent, span);
  if (!span.isRecording()) {
    call.trace = new DroppedTrace(context);
    return api.context.with(context, next, undefined, call, landing);
  }
  guarded(() => span.setAttributes(hooks.call?.(call) ?? {}));
  const trace = new CallTrace(parts, { span, context }, open.closed);
  call.trace = trace;
  open.add(trace);
  within(parts, { trace, next }, { call, landing });
};

/** A redirect named the service: the client sends the same call once more. */
const anotherRound = (parts: TracingParts, next: Flow<unknown>, { call, landing }: Passing): void => {
  const { trace } = call;
  if (trace instanceof CallTrace && trace.takeRedirect()) within(parts, { trace, next }, { call, landing });
  else next(call, landing);
};

interface Traced {
  readonly trace: CallTrace;
  readonly next: Flow<unknown>;
}

const within = ({ api, guarded }: TracingParts, { trace, next }: Traced, { call, landing }: Passing): void => {
  const ending: Landing<unknown> = {
    answered: result => {
      guarded(() => trace.answered(call, result));
      landing.answered(result);
    },
    failed: error => {
      guarded(() => trace.failed(call, error));
      landing.failed(error);
    },
  };
  api.context.with(trace.context, next, undefined, call, ending);
};
