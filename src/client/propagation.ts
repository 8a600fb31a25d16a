import type { Call } from '../core/call.js';
import type { Criticality } from '../core/shared.js';
import type { OutboundRequest } from '../core/transport.js';

/** Time that the caller still waits, in whole ms; read from requests that come in, written to those that go out. */
export const TIMEOUT_HEADER = 'x-request-timeout-ms';
/** The same in the form of gRPC over HTTP/2: up to 8 digits and a unit. Read only. */
export const GRPC_TIMEOUT_HEADER = 'grpc-timeout';
/** The number of the attempt, 1 for the first, hedges counted: lets a server tell first tries from repeated ones. */
export const ATTEMPT_HEADER = 'x-request-attempt';
export const CRITICALITY_HEADER = 'x-request-criticality';

const LEVELS: readonly string[] = ['critical-plus', 'critical', 'sheddable-plus', 'sheddable'];

/** Nobody waits longer than a day for an answer: what claims so is a mistake, and no deadline. */
const LONGEST_MS = 86_400_000;
const MS_OF_UNIT: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 0.001,
  n: 0.000_001,
};

/** In ms; Infinity for what is missing, malformed or absurd. */
export const parseTimeoutMs = (value: string | undefined): number =>
  value !== undefined && /^\d{1,8}$/.test(value) ? sane(Number(value)) : Infinity;

/** `500m`, `3S` …: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md. In ms, as above. */
export const parseGrpcTimeout = (value: string | undefined): number => {
  const [, digits, unit] = /^(\d{1,8})([HMSmun])$/.exec(value ?? '') ?? [];
  return digits === undefined || unit === undefined ? Infinity : sane(Number(digits) * MS_OF_UNIT[unit]!);
};

const sane = (ms: number): number => (ms <= LONGEST_MS ? ms : Infinity);

/** `undefined` for a level that there is not: it is not passed on either. `CRITICAL_PLUS` is read too. */
export const parseCriticality = (value: string | undefined): Criticality | undefined => {
  const level = value?.toLowerCase().replaceAll('_', '-');
  return level !== undefined && LEVELS.includes(level) ? (level as Criticality) : undefined;
};

/**
 * The request with what is to be told with it, as of now: each attempt has less time than the one before. A copy, since the
 * next attempt says something else. Headers that the caller set stay as they are.
 */
export const stamped = (request: OutboundRequest, call: Call): OutboundRequest => {
  const headers = new Headers(request.headers);
  const tell = (name: string, value: string): void => {
    if (!headers.has(name)) headers.set(name, value);
  };
  const leftMs = call.deadlineAt - call.now;
  // Rounded down, so that time shrinks along a chain and is never made.
  if (leftMs !== Infinity) tell(TIMEOUT_HEADER, String(Math.max(0, Math.floor(leftMs))));
  tell(ATTEMPT_HEADER, String(call.attempt));
  const { criticality } = call.propagated ?? {};
  if (criticality !== undefined) tell(CRITICALITY_HEADER, criticality);
  return { ...request, headers };
};
