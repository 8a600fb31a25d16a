import type { Attributes } from '@opentelemetry/api';
import type { OutboundRequest } from '../../core/transport.js';

const KNOWN = ['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'QUERY', 'TRACE'];
const OTHER = '_OTHER';

/** The environment variable that OpenTelemetry gives the operator, to name the methods in use. */
const ownMethods = process.env.OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS?.split(',').map(method => method.trim());
const methods = new Set(ownMethods?.some(method => method !== '') ? ownMethods : KNOWN);

/** Methods are few in metrics and searches: what is none that is known is `_OTHER`, with the original beside it. */
export const methodAttributes = (method: string): Attributes =>
  methods.has(method)
    ? { 'http.request.method': method }
    : { 'http.request.method': OTHER, 'http.request.method_original': method.slice(0, 64) };

/** The beginning of a span's name. */
export const methodName = (method: string): string => (methods.has(method) ? method : 'HTTP');

/** Bytes of a request's body; `undefined` where only sending it would tell. */
export const bodySizeOf = ({ body, headers }: OutboundRequest): number | undefined => {
  if (body == null) return undefined;
  if (typeof body === 'string') return Buffer.byteLength(body);
  if (body instanceof URLSearchParams) return Buffer.byteLength(body.toString());
  if (body instanceof Blob) return body.size;
  if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) return body.byteLength;
  const told = headers === undefined ? null : new Headers(headers).get('content-length');
  return told !== null && /^\d{1,15}$/.test(told) ? Number(told) : undefined;
};
