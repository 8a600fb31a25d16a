import type { TextMapGetter } from '@opentelemetry/api';
import type { InboundHeaders, InboundRequest } from '../../client/inbound-headers.js';

/** Headers that are lists: several of them say the same as one with commas. */
const LISTS = new Set(['tracestate', 'baggage', 'forwarded', 'x-forwarded-for']);

export const headersOf = (request: InboundRequest): InboundHeaders => {
  if (typeof request !== 'object' || request === null)
    throw new TypeError(
      `inbound: expected a request or its headers, got ${request === null ? 'null' : typeof request}`,
    );
  const { headers } = request as { headers?: unknown };
  return (typeof headers === 'object' && headers !== null ? headers : request) as InboundHeaders;
};

/** A header as one text, `undefined` when it is missing, or came twice and so says two things. */
export const headerText = (headers: InboundHeaders, name: string): string | undefined => {
  const value = raw(headers, name);
  const text = Array.isArray(value) ? joined(name, value) : value;
  return typeof text === 'string' ? text.trim() : undefined;
};

/** Node and the web join what came several times by commas; a `traceparent` has none. */
const isTwice = (name: string, text: string): boolean => name === 'traceparent' && text.includes(',');

const joined = (name: string, values: readonly unknown[]): unknown => {
  if (values.length <= 1) return values[0];
  return LISTS.has(name) ? values.join(',') : undefined;
};

/** Own properties only: a name must not reach what every object has. */
const raw = (headers: InboundHeaders, name: string): unknown => {
  const { get } = headers as { get?: unknown };
  if (typeof get === 'function') return (headers as { get(name: string): unknown }).get(name);
  const named = headers as Record<string, unknown>;
  if (Object.hasOwn(named, name)) return named[name];
  // Node writes names in lower case; gateways and functions as a service often do not.
  const key = Object.keys(named).find(each => each.toLowerCase() === name);
  return key === undefined ? undefined : named[key];
};

/** How a propagator reads the headers. */
export const carrier: TextMapGetter<InboundHeaders> = {
  keys: headers => {
    const { keys } = headers as { keys?: unknown };
    return typeof keys === 'function' ? [...(headers as Headers).keys()] : Object.keys(headers);
  },
  get: (headers, name) => {
    const key = name.toLowerCase();
    const text = headerText(headers, key);
    return text === undefined || isTwice(key, text) ? undefined : text;
  },
};
