import type { Attributes, Context, Span } from '@opentelemetry/api';
import type { Send } from '../../client/instrument.js';
import type { Call } from '../../core/call.js';
import type { Cancellation } from '../../core/cancellation.js';
import type { Endpoint } from '../../core/endpoint.js';
import { attemptAttributes, attemptName, instanceAttributes } from './call-attributes.js';
import { CallTrace, DroppedTrace } from './call-trace.js';
import { isAbort, markFailed, markOutcome } from './span-error.js';
import { startSpan, type TracingParts } from './tracing-parts.js';

/** SpanKind.CLIENT */
const CLIENT = 2;

/** Around each attempt: its span, and the headers that carry it to the instance. */
export const tracingAttempt =
  (parts: TracingParts) =>
  (next: Send<unknown>): Send<unknown> => {
    const sendDropped = droppedSend(parts, next);
    return function tracingAttempts(call, endpoint, cancellation) {
      const { trace } = call;
      if (trace === undefined) return next(call, endpoint, cancellation);
      if (trace instanceof DroppedTrace) return sendDropped(call, endpoint, cancellation);
      if (trace instanceof CallTrace) return traced(parts, { trace, call, endpoint, cancellation }, next);
      return next(call, endpoint, cancellation);
    };
  };

interface Attempt {
  readonly trace: CallTrace;
  readonly call: Call;
  readonly endpoint: Endpoint;
  readonly cancellation: Cancellation;
}

/** Written out, with nothing allocated but the request: of all that tracing does, this has to be cheap. */
const droppedSend = (parts: TracingParts, next: Send<unknown>): Send<unknown> => {
  const { api, inject, silence } = parts;
  const { context: contexts } = api;
  return function sendDropped(call, endpoint, cancellation) {
    const { request } = call;
    if (request === undefined) return next(call, endpoint, cancellation);
    const { context } = call.trace as DroppedTrace;
    if (inject !== undefined) call.request = inject(request, context);
    try {
      // Entering a context costs as much as all the rest, and here only who watches would notice.
      return silence.isNeeded()
        ? contexts.with(silence.keptIn(context), next, undefined, call, endpoint, cancellation)
        : next(call, endpoint, cancellation);
    } finally {
      call.request = request;
    }
  };
};

const traced = (parts: TracingParts, attempt: Attempt, next: Send<unknown>): Promise<unknown> => {
  const { trace, call, endpoint, cancellation } = attempt;
  const { api, silence } = parts;
  const parent = parentOf(parts, trace);
  const span = started(parts, attempt, parent);
  if (span === undefined) return next(call, endpoint, cancellation);
  const context = api.trace.setSpan(parent, span);
  const flight = new AttemptSpan(parts, span, attempt);
  // What is not HTTP makes its own spans, below ours: a database's client knows more of what it does.
  const around = call.request === undefined ? context : silence.keptIn(context);
  try {
    return carrying(parts, { call, context }, () =>
      api.context.with(around, next, undefined, call, endpoint, cancellation),
    ).then(flight.answered, flight.failed);
  } catch (error) {
    return flight.failed(error);
  }
};

/** What is active, since a user's layer may have opened a span of its own; unless it belongs to another call, or to none. */
const parentOf = ({ api, callKey }: TracingParts, trace: CallTrace): Context => {
  const active = api.context.active();
  return active.getValue(callKey) === trace ? active : trace.context;
};

const started = (parts: TracingParts, { trace, call, endpoint }: Attempt, parent: Context): Span | undefined => {
  const tracer = parts.tracer();
  if (tracer === undefined) return undefined;
  const options = { kind: CLIENT, attributes: attemptAttributes(call, endpoint, parts.redact) };
  const span = startSpan(parts, { tracer, name: attemptName(call), options, parent });
  parts.guarded(() => tellCall(parts, trace, { call, endpoint }));
  if (span !== undefined && parts.hooks.attempt !== undefined)
    parts.guarded(() => span.setAttributes(parts.hooks.attempt?.(call, endpoint) ?? {}));
  return span;
};

/** Why this attempt, and where to, as events of the call's span. */
const tellCall = (
  { redact }: TracingParts,
  { span, instances }: CallTrace,
  { call, endpoint }: Pick<Attempt, 'call' | 'endpoint'>,
): void => {
  const { cause, ms, reason } = call.record.pause;
  const about: Attributes = { 'fairlead.attempt': call.attempt };
  if (cause === 'hedge') span.addEvent('fairlead.hedge', { ...about, 'fairlead.after_ms': ms });
  else if (cause === 'redirect') span.addEvent('fairlead.redirect', about);
  else if (cause !== 'first')
    span.addEvent('fairlead.retry', {
      ...about,
      'fairlead.delay_ms': ms,
      'fairlead.reason': redact.text(reason ?? cause),
    });
  span.addEvent('fairlead.instance.chosen', {
    'fairlead.service': call.service,
    ...about,
    ...instanceAttributes(endpoint),
  });
  instances.add(endpoint.instance.id);
};

/** Sends with the context in the headers. The request of the call stays as it was: the next attempt carries another span. */
const carrying = <T>(
  { inject }: TracingParts,
  { call, context }: { call: Call; context: Context },
  send: () => T,
): T => {
  const { request } = call;
  if (request === undefined || inject === undefined) return send();
  call.request = inject(request, context);
  try {
    return send();
  } finally {
    call.request = request;
  }
};

/** Ends once: at the headers, at an error, or when the attempt is given up, even where the transport does not hear of it. */
class AttemptSpan {
  readonly #parts: TracingParts;
  readonly #span: Span;
  readonly #attempt: Attempt;
  #open = true;

  constructor(parts: TracingParts, span: Span, attempt: Attempt) {
    this.#parts = parts;
    this.#span = span;
    this.#attempt = attempt;
    attempt.cancellation.onCancel(this.#cancelled);
  }

  readonly answered = (result: unknown): unknown => {
    const { call } = this.#attempt;
    this.#end(span => {
      if (call.request === undefined) return;
      const { status } = result as Response;
      span.setAttribute('http.response.status_code', status);
      if (status >= 400) markOutcome(span, status);
      const { response } = this.#parts.hooks;
      if (response !== undefined) span.setAttributes(response(result as Response, call) ?? {});
    });
    return result;
  };

  readonly failed = (error: unknown): never => {
    this.#cancelled(error);
    throw error;
  };

  readonly #cancelled = (error: unknown): void =>
    this.#end(span => {
      if (isAbort(error, this.#attempt.cancellation)) span.setAttribute('fairlead.cancelled', true);
      else markFailed(span, error, this.#parts.redact);
    });

  #end(finish: (span: Span) => void): void {
    if (!this.#open) return;
    this.#open = false;
    this.#attempt.cancellation.offCancel(this.#cancelled);
    const { guarded } = this.#parts;
    guarded(() => finish(this.#span));
    guarded(() => this.#span.end());
  }
}
