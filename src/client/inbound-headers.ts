/** Headers as frameworks hand them over: the web's, or an object by name. */
export type InboundHeaders =
  { get(name: string): string | null | undefined } | Readonly<Record<string, string | readonly string[] | undefined>>;

/** A request of `node:http` or a framework on it, a web `Request`, or only the headers. */
export type InboundRequest = { readonly headers: InboundHeaders } | InboundHeaders;

/**
 * Reads single headers of what somebody sent us. Own properties only: a name must not reach what every object has. A header
 * that came twice says two things, and so nothing.
 */
export const headerOf = (path: string, request: InboundRequest): ((name: string) => string | undefined) => {
  if (typeof request !== 'object' || request === null)
    throw new TypeError(
      `${path}: expected a request or its headers, got ${request === null ? 'null' : typeof request}`,
    );
  const { headers: inner } = request as { headers?: unknown };
  const headers = (typeof inner === 'object' && inner !== null ? inner : request) as Record<string, unknown>;
  if (typeof headers.get === 'function') {
    const web = headers as unknown as { get(name: string): unknown };
    return name => text(web.get(name));
  }
  return name => text(Object.hasOwn(headers, name) ? headers[name] : otherwiseWritten(headers, name));
};

/** Node writes names in lower case; gateways and functions as a service often do not. */
const otherwiseWritten = (headers: Record<string, unknown>, name: string): unknown => {
  const key = Object.keys(headers).find(each => each.toLowerCase() === name);
  return key === undefined ? undefined : headers[key];
};

const text = (value: unknown): string | undefined => {
  const single: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value;
  return typeof single === 'string' ? single.trim() : undefined;
};
