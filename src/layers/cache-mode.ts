import type { OutboundRequest } from '../core/transport.js';

/** The standard `cache` of a request, which Node's types of `RequestInit` leave out. */
export const cacheMode = ({ init }: OutboundRequest): unknown => (init as { cache?: unknown } | undefined)?.cache;
