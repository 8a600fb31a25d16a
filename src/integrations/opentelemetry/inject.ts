import type { Context, TextMapPropagator, TextMapSetter } from '@opentelemetry/api';
import type { Guarded } from '../../core/guard.js';
import type { OutboundRequest } from '../../core/transport.js';
import type { OtelApi } from '../shared/otel-api.js';

/** Writes a context into a request: a copy, since the next attempt says something else. */
export type Inject = (request: OutboundRequest, context: Context) => OutboundRequest;

type Carrier = Record<string, string>;

/** A `tracestate` that is empty says nothing, and some servers take it for malformed. */
const setter: TextMapSetter<Carrier> = {
  set: (carrier, name, value) => {
    if (value !== '') carrier[name] = value;
  },
};

/** @param propagator `undefined`: the one that is registered */
export const injecting = (
  { propagation }: OtelApi,
  propagator: TextMapPropagator | undefined,
  guarded: Guarded,
): Inject => {
  const write = (context: Context, carrier: Carrier): void =>
    propagator === undefined
      ? propagation.inject(context, carrier, setter)
      : propagator.inject(context, carrier, setter);
  // Writing takes longer than all the rest of a call that is not recorded, and its retries, or the calls that one handler
  // makes side by side, carry the same.
  let written: Context | undefined;
  let carrier: Carrier = {};
  return (request, context) => {
    if (context !== written) {
      carrier = {};
      guarded(() => write(context, carrier));
      Object.freeze(carrier);
      written = context;
    }
    const { method, path, headers, body, init } = request;
    // Written out: a spread costs as much as all the rest of a call that is not recorded.
    return { method, path, headers: headers === undefined ? carrier : merged(headers, carrier), body, init };
  };
};

/** Headers that the caller set stay as they are; with a `traceparent` of his own goes a `tracestate` of his own, or none. */
const merged = (theirs: NonNullable<OutboundRequest['headers']>, carrier: Carrier): Headers => {
  const headers = new Headers(theirs);
  const isTheirs = headers.has('traceparent');
  for (const [name, value] of Object.entries(carrier))
    if (!headers.has(name) && !(isTheirs && name === 'tracestate')) headers.set(name, value);
  return headers;
};
