import type { Attributes } from '@opentelemetry/api';
import type { Call } from '../../core/call.js';
import type { Endpoint } from '../../core/endpoint.js';
import { originOf } from '../../core/instance.js';
import type { CallRecord } from '../../core/record.js';
import type { OutboundRequest } from '../../core/transport.js';
import type { Redact } from './redact.js';
import { bodySizeOf, methodAttributes, methodName } from './span-http.js';

/** `GET users`, and `call users` for what is not HTTP. */
export const callName = ({ service, request }: Call): string =>
  `${request === undefined ? 'call' : methodName(request.method)} ${service}`;

/** What is known when a call begins: samplers see it. */
export const callAttributes = ({ service, request }: Call): Attributes =>
  request === undefined
    ? { 'fairlead.service': service }
    : { 'fairlead.service': service, ...methodAttributes(request.method), 'url.path': pathOf(request) };

const pathOf = ({ path }: OutboundRequest): string => {
  const query = path.indexOf('?');
  return query < 0 ? path : path.slice(0, query);
};

/** What is known when it ends. Times are in ms; what did not happen is left out. */
export const endAttributes = ({ record, verdict }: Call, endedBy: CallRecord['endedBy']): Attributes => ({
  'fairlead.outcome': verdict.outcome,
  'fairlead.ended_by': endedBy,
  'fairlead.served_from': record.servedFrom,
  'fairlead.attempts': record.attempts,
  ...(record.instance !== undefined && { 'fairlead.instance.id': record.instance }),
  ...(record.hedges > 0 && { 'fairlead.hedges': record.hedges }),
  ...(record.queuedMs > 0 && { 'fairlead.queued_ms': record.queuedMs }),
  ...(record.backoffMs > 0 && { 'fairlead.backoff_ms': record.backoffMs }),
});

export const attemptName = ({ service, request }: Call): string =>
  request === undefined ? service : methodName(request.method);

export const attemptAttributes = (call: Call, endpoint: Endpoint, redact: Redact): Attributes => {
  const { address, port } = endpoint.instance;
  return {
    'server.address': address,
    'server.port': port,
    'fairlead.service': call.service,
    'fairlead.attempt': call.attempt,
    ...instanceAttributes(endpoint),
    ...(call.request !== undefined && httpAttributes(call.request, endpoint, { call, redact })),
  };
};

export const instanceAttributes = ({ instance: { id, zone, version } }: Endpoint): Attributes => ({
  'fairlead.instance.id': id,
  ...(zone !== undefined && { 'fairlead.instance.zone': zone }),
  ...(version !== undefined && { 'fairlead.instance.version': version }),
});

interface Around {
  readonly call: Call;
  readonly redact: Redact;
}

const httpAttributes = (request: OutboundRequest, { instance }: Endpoint, { call, redact }: Around): Attributes => {
  const resends = call.record.attempts - 1;
  const size = bodySizeOf(request);
  return {
    ...methodAttributes(request.method),
    'url.full': redact.url(originOf(instance) + request.path),
    ...(resends > 0 && { 'http.request.resend_count': resends }),
    ...(size !== undefined && { 'http.request.body.size': size }),
  };
};
