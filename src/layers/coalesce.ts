import type { Call, Layer } from '../core/call.js';
import { cacheMode } from './cache-mode.js';
import { branchFor } from './coalesced-body.js';
import { SharedFlight } from './shared-flight.js';

export interface CoalescePolicy {
  /** Lower case. */
  readonly ignoreHeaders: readonly string[];
}

/**
 * Identical GETs in flight at the same time are sent once: each caller gets a Response of its own, with a body of its own,
 * and may give up without the others noticing. The request ends early only when all of them have given up.
 */
export const coalesce =
  ({ ignoreHeaders }: CoalescePolicy): Layer<Response> =>
  next => {
    const flights = new Map<string, SharedFlight<Response>>();
    return function coalescing(call) {
      const key = keyOf(call, ignoreHeaders);
      if (key === undefined) return next(call);
      const flying = flights.get(key);
      if (flying !== undefined) {
        call.record.servedFrom = 'coalesced';
        return joined(flying, call);
      }
      const flight = new SharedFlight<Response>(call, () => {
        if (flights.get(key) === flight) flights.delete(key);
      });
      flights.set(key, flight);
      const answer = joined(flight, call);
      flight.start(next);
      return answer;
    };
  };

const joined = (flight: SharedFlight<Response>, call: Call): Promise<Response> =>
  flight.join(call, (response, { left, of }) => {
    if (of > 1) return branchFor(response, call, left);
    // Alone at the end: the response is this call's, and so is what aborts it.
    call.cancellation.onCancel(reason => flight.cancellation.cancel(reason));
    return response;
  });

/** What has to be the same for one answer to be right for both; `undefined`: this call goes alone. */
const keyOf = ({ request, hashKey, protocol, route }: Call, ignored: readonly string[]): string | undefined => {
  // Who says where it is to go does not ask for just any answer.
  if (route !== undefined) return undefined;
  if (request === undefined || request.method !== 'GET' || request.body != null) return undefined;
  const { path, headers, init } = request;
  const mode = cacheMode(request);
  if (mode === 'no-store' || mode === 'reload') return undefined;
  const given = [...new Headers(headers).entries()].filter(([name]) => !ignored.includes(name));
  return JSON.stringify([path, protocol, hashKey, init?.redirect, given]);
};
