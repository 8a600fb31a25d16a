import type { Attributes, AttributeValue, Context, Span, TextMapPropagator, TracerProvider } from '@opentelemetry/api';
import type { InboundHeaders, InboundRequest } from '../../client/inbound-headers.js';
import * as check from '../../core/check.js';
import { guard } from '../../core/guard.js';
import { otelApi, type OtelApi } from '../shared/otel-api.js';
import { inboundAttributes, inboundMethod } from './inbound-attributes.js';
import { carrier, headersOf } from './inbound-carrier.js';
import { redaction, type Redact } from './redact.js';
import { methodName } from './span-http.js';
import { ServerSpan, type InboundResponse } from './server-span.js';

export interface InboundOptions {
  /** Where the span comes from. @default the one that is registered globally */
  readonly tracerProvider?: TracerProvider | undefined;
  /** What reads the caller's context. @default the one that is registered globally */
  readonly propagator?: TextMapPropagator | undefined;
  /** The route that matched, with its parameters unfilled, as `/users/:id`: it goes into the span's name. @default none */
  readonly route?: string | undefined;
  /** The response that is being written: the span ends with it, and has its status. @default with what `fn` returns */
  readonly response?: InboundResponse | undefined;
  /** Further attributes. @default none */
  readonly attributes?: Attributes | undefined;
  /** Names of query parameters whose values are secrets, besides those that are known. @default [] */
  readonly redact?: readonly string[] | undefined;
}

/** The span of the request that is being served. Without an SDK, all of it does nothing. */
export interface InboundSpan {
  readonly span: Span;
  /** For log lines: the id of the trace, 32 hexadecimal digits; all of them 0 where there is none. */
  readonly traceId: string;
  setAttribute(name: string, value: AttributeValue): this;
  setAttributes(attributes: Attributes): this;
  addEvent(name: string, attributes?: Attributes): this;
}

/**
 * Runs the handler of a request as a part of its caller's trace: reads the caller's context from the headers, opens a
 * SERVER span by OpenTelemetry's stable conventions, and runs `fn` with it active, so that what it calls carries on the same
 * trace. The span ends when `fn` returns, when its promise settles, or with the response that is given; an error of `fn`
 * passes on unchanged. Where an instrumentation of `node:http` does the same already, leave it out.
 *
 * ```ts
 * createServer((request, response) => inbound(request, ctx => handler(ctx, response), { response }));
 * ```
 * @param request a request of `node:http` or a framework on it, a web `Request`, or only the headers
 * @returns what `fn` returns
 */
export const inbound = <T>(request: InboundRequest, fn: (span: InboundSpan) => T, options: InboundOptions = {}): T => {
  check.object('inbound: options', options, { known: KNOWN });
  const headers = headersOf(request);
  const api = otelApi('inbound()');
  const redact = options.redact === undefined ? usual : redaction(options.redact);
  const parent = guarded(() => extracted(api, headers, options.propagator)) ?? api.context.active();
  const span = started(api, { request, parent, redact }, options);
  const serving = new ServerSpan(span, redact, options.response);
  return api.context.with(api.trace.setSpan(parent, span), () => serving.run(() => fn(new Serving(span))));
};

const KNOWN = ['tracerProvider', 'propagator', 'route', 'response', 'attributes', 'redact'];
const SERVER = 1;
const usual = redaction();
const guarded = guard('a sampler, a propagator or a span processor of inbound()');

class Serving implements InboundSpan {
  readonly span: Span;

  constructor(span: Span) {
    this.span = span;
  }

  get traceId(): string {
    return this.span.spanContext().traceId;
  }

  setAttribute(name: string, value: AttributeValue): this {
    this.span.setAttribute(name, value);
    return this;
  }

  setAttributes(attributes: Attributes): this {
    this.span.setAttributes(attributes);
    return this;
  }

  addEvent(name: string, attributes?: Attributes): this {
    this.span.addEvent(name, attributes);
    return this;
  }
}

/** Flags that are not known here must not be sent on: W3C Trace Context, "other flags". */
const KNOWN_FLAGS = 1;

const extracted = (
  { context, propagation, trace }: OtelApi,
  headers: InboundHeaders,
  propagator: TextMapPropagator | undefined,
): Context => {
  const active = context.active();
  const found = (propagator ?? propagation).extract(active, headers, carrier);
  const remote = trace.getSpanContext(found);
  if (remote === undefined || remote === trace.getSpanContext(active) || remote.traceFlags <= KNOWN_FLAGS) return found;
  return trace.setSpanContext(found, { ...remote, traceFlags: remote.traceFlags & KNOWN_FLAGS });
};

interface Incoming {
  readonly request: InboundRequest;
  readonly parent: Context;
  readonly redact: Redact;
}

const started = (api: OtelApi, { request, parent, redact }: Incoming, options: InboundOptions): Span => {
  const { route, attributes, tracerProvider = api.trace.getTracerProvider() } = options;
  const method = methodName(inboundMethod(request));
  const span = guarded(() =>
    tracerProvider
      .getTracer('fairlead')
      .startSpan(
        route === undefined ? method : `${method} ${route}`,
        { kind: SERVER, attributes: { ...inboundAttributes(request, route, redact), ...attributes } },
        parent,
      ),
  );
  return span ?? api.trace.wrapSpanContext(api.trace.getSpanContext(parent) ?? api.INVALID_SPAN_CONTEXT);
};
