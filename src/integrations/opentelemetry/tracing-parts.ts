import type { Context, Span, SpanOptions, Tracer } from '@opentelemetry/api';
import { channel } from 'node:diagnostics_channel';
import { guard, type Guarded } from '../../core/guard.js';
import { otelApi, type OtelApi } from '../shared/otel-api.js';
import { injecting, type Inject } from './inject.js';
import { redaction, type Redact } from './redact.js';
import { tracerSource } from './tracer-source.js';
import type { TracingHooks, TracingOptions } from './tracing-options.js';

/** What all spans of one `tracing()` share. */
export interface TracingParts {
  readonly api: OtelApi;
  /** `undefined` as long as there is no SDK. */
  readonly tracer: () => Tracer | undefined;
  readonly hooks: TracingHooks;
  readonly redact: Redact;
  /** `undefined`: requests are sent as they are. */
  readonly inject: Inject | undefined;
  /** Users' code and the SDK's: a fault of it is no fault of the call. */
  readonly guarded: Guarded;
  readonly silence: Silence;
  /** Under it, a context says whose attempts are made in it. */
  readonly callKey: symbol;
}

/** Keeps instrumentations of what sends a request from making spans and headers of their own. */
export interface Silence {
  /** Asked for already: somebody does not want spans here. */
  isKept(context: Context): boolean;
  keptIn(context: Context): Context;
  /** Somebody watches what undici sends: an instrumentation of the global fetch, mostly. */
  isNeeded(): boolean;
}

export const tracingParts = (options: TracingOptions): TracingParts => {
  const api = otelApi('tracing()');
  const guarded = guard('an attribute hook, a sampler, a propagator or a span processor of tracing()');
  return {
    api,
    tracer: tracerSource(api, options.tracerProvider),
    hooks: options.attributes ?? {},
    redact: redaction(options.redact),
    inject: (options.inject ?? true) ? injecting(api, options.propagator, guarded) : undefined,
    guarded,
    callKey: api.createContextKey('fairlead: the call that is traced'),
    silence: silenceOf(api, options.suppressInstrumentation ?? true),
  };
};

const silenceOf = ({ createContextKey }: OtelApi, wanted: boolean): Silence => {
  // The key that the SDK's core and all instrumentations look for: it is part of their contract.
  const key = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING');
  const created = channel('undici:request:create');
  return {
    isKept: context => context.getValue(key) === true,
    keptIn: context => (wanted ? context.setValue(key, true) : context),
    isNeeded: () => wanted && created.hasSubscribers,
  };
};

export interface Begun {
  readonly tracer: Tracer;
  readonly name: string;
  readonly options: SpanOptions;
  readonly parent: Context;
}

/** `undefined` when the SDK's parts threw. */
export const startSpan = ({ guarded }: TracingParts, { tracer, name, options, parent }: Begun): Span | undefined =>
  guarded(() => tracer.startSpan(name, options, parent));
