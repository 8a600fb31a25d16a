import type { Attributes, TextMapPropagator, TracerProvider } from '@opentelemetry/api';
import type { Call } from '../../core/call.js';
import * as check from '../../core/check.js';
import type { Endpoint } from '../../core/endpoint.js';

/** Further attributes, asked for only where a span is recorded. */
export interface TracingHooks {
  /** Of the span of a call, when it begins. */
  readonly call?: ((call: Call) => Attributes | undefined) | undefined;
  /** Of the span of an attempt, once its instance is known. */
  readonly attempt?: ((call: Call, endpoint: Endpoint) => Attributes | undefined) | undefined;
  /** Of the span of an attempt, at the headers of its response. The body is not to be read. */
  readonly response?: ((response: Response, call: Call) => Attributes | undefined) | undefined;
}

export interface TracingOptions {
  /** Where spans come from. @default the one that is registered globally, whenever that happens */
  readonly tracerProvider?: TracerProvider | undefined;
  /** What writes the context into requests. @default the one that is registered globally */
  readonly propagator?: TextMapPropagator | undefined;
  /** `false`: no headers are added to requests. @default true */
  readonly inject?: boolean | undefined;
  /**
   * Keeps instrumentations of fetch, undici and http from making a second span for the same request, and from adding their
   * headers to ours. @default true
   */
  readonly suppressInstrumentation?: boolean | undefined;
  /**
   * Names of query parameters whose values are secrets, besides those that are known (tokens, keys, signatures, passwords).
   * Case, `-`, `_` and `.` do not matter. @default []
   */
  readonly redact?: readonly string[] | undefined;
  /** Further attributes. One that throws becomes a warning of the process, and the call goes on. */
  readonly attributes?: TracingHooks | undefined;
}

const KNOWN = ['tracerProvider', 'propagator', 'inject', 'suppressInstrumentation', 'redact', 'attributes'];
const HOOKS = ['call', 'attempt', 'response'] as const;

export const checkTracingOptions = (options: TracingOptions): void => {
  check.object('tracing', options, { known: KNOWN });
  const { inject, suppressInstrumentation, redact, attributes } = options;
  check.ofType('tracing: inject', inject, 'boolean');
  check.ofType('tracing: suppressInstrumentation', suppressInstrumentation, 'boolean');
  if (redact !== undefined && !(Array.isArray(redact) && redact.every(name => typeof name === 'string')))
    throw new TypeError("tracing: redact: expected an array of names; write ['session']");
  check.object('tracing: attributes', attributes, {
    known: HOOKS,
    hint: "; write { call: () => ({ team: 'shop' }) }",
  });
  for (const hook of HOOKS) check.ofType(`tracing: attributes.${hook}`, attributes?.[hook], 'function');
};
