import { describe, expect, it } from 'vitest';
import type { GrpcListener } from '../../../src/registries/etcd/peer.js';
import { Trip } from '../../../src/registries/etcd/trip.js';

/** Starts one call under a trip's interceptor, as grpc-js would. */
const underway = (trip: Trip) => {
  let inner: GrpcListener = {};
  const cancelled: number[] = [];
  const heard: string[] = [];
  const call = {
    start: (_metadata: unknown, listener: GrpcListener = {}) => void (inner = listener),
    cancelWithStatus: (code: number) => void cancelled.push(code),
  };
  const intercepted = trip.options.interceptors[0]!({}, () => call);
  intercepted.start({ set: () => undefined }, { onReceiveStatus: ({ details }) => void heard.push(details) });
  return { cancelled, heard, end: (code: number, details: string) => inner.onReceiveStatus?.({ code, details }) };
};

const REFUSED = 'etcdserver: invalid auth token';

describe('what rides along with a call to etcd', () => {
  it('hides a refusal of our token from the package, which would ask again without end, and keeps it for us', () => {
    const trip = new Trip(new AbortController().signal, 'token');
    const { end, heard } = underway(trip);
    end(16, REFUSED);
    expect(heard).toEqual(['the auth token was refused']);
    expect(trip.status).toEqual({ code: 16, details: REFUSED });
  });

  it('leaves a refusal of the caller’s token to the caller’s client, which knows how to log in', () => {
    const { end, heard } = underway(new Trip(new AbortController().signal, undefined));
    end(16, REFUSED);
    expect(heard).toEqual([REFUSED]);
  });

  it('cancels on an abort, and at once what is begun after it: the next try of a client that retries by itself', () => {
    const controller = new AbortController();
    const trip = new Trip(controller.signal, undefined);
    const first = underway(trip);
    expect(first.cancelled).toEqual([]);
    controller.abort();
    expect(first.cancelled).toEqual([1]);
    expect(underway(trip).cancelled).toEqual([1]);
  });
});
