import {
  createServiceClient,
  memoryRegistry,
  tokenBucket,
  type Layer,
  type MemoryRegistry,
  type ServiceClient,
  type ServiceClientOptions,
  type Transport,
} from 'fairlead';
import { connectionRefused, connectionReset, fakeFetch, testRuntime, type TestRuntime } from 'fairlead/testing';

export type Chance = () => number;
export const oneOf = <T>(chance: Chance, choices: readonly T[]): T => choices[Math.floor(chance() * choices.length)]!;

/** What became of a response's body. */
export interface TrackedBody {
  readonly request: number;
  state: 'open' | 'read' | 'cancelled' | 'broken';
}

export interface LeakWorld {
  readonly runtime: TestRuntime;
  readonly client: ServiceClient;
  readonly registry: MemoryRegistry;
  readonly bodies: readonly TrackedBody[];
  /** What was drawn, for the message of a failure. */
  readonly options: Partial<ServiceClientOptions>;
}

type Fate = number | 'refuse' | 'reset' | 'hang';

/** A server that does everything to a request that servers do. */
class Server {
  readonly bodies: TrackedBody[] = [];
  readonly #chance: Chance;
  readonly #runtime: () => TestRuntime;
  #requests = 0;

  constructor(chance: Chance, runtime: () => TestRuntime) {
    this.#chance = chance;
    this.#runtime = runtime;
  }

  /** `signal`: absent for a transport that does not listen. */
  async answer(signal: AbortSignal | undefined): Promise<Response> {
    this.#requests += 1;
    const chance = this.#chance;
    await this.#runtime().sleep(Math.floor(chance() * oneOf(chance, [1, 20, 200, 2_000])));
    signal?.throwIfAborted();
    const fate = oneOf<Fate>(chance, [
      200,
      200,
      200,
      200,
      204,
      302,
      404,
      429,
      500,
      503,
      503,
      504,
      'refuse',
      'reset',
      'hang',
    ]);
    if (fate === 'refuse') throw connectionRefused();
    if (fate === 'reset') throw connectionReset();
    if (fate === 'hang') return new Promise(() => undefined);
    const headers = new Headers({ 'cache-control': oneOf(chance, ['no-store', 'max-age=1']) });
    if (chance() < 0.5 && (fate === 429 || fate === 503)) headers.set('retry-after', oneOf(chance, ['0', '1', '60']));
    if (fate === 302) headers.set('location', oneOf(chance, ['/elsewhere', 'http://users/b', 'http://evil.example/']));
    return new Response(fate === 204 ? null : this.#body(signal), { status: fate, headers });
  }

  #body(signal: AbortSignal | undefined): ReadableStream<Uint8Array> {
    const chance = this.#chance;
    const tracked: TrackedBody = { request: this.#requests, state: 'open' };
    this.bodies.push(tracked);
    let pieces = Math.floor(chance() * 4);
    const lasts = oneOf(chance, ['ends', 'ends', 'ends', 'breaks', 'for ever']);
    return new ReadableStream<Uint8Array>({
      start: controller => {
        const abort = (): void => {
          if (tracked.state !== 'open') return;
          tracked.state = 'broken';
          controller.error(signal!.reason);
        };
        signal?.addEventListener('abort', abort, { once: true });
      },
      pull: async controller => {
        await this.#runtime().sleep(5);
        if (tracked.state !== 'open') return;
        if (pieces > 0) return controller.enqueue(new Uint8Array([(pieces -= 1)]));
        if (lasts === 'for ever') return new Promise(() => undefined);
        tracked.state = lasts === 'breaks' ? 'broken' : 'read';
        if (lasts !== 'breaks') controller.close();
        else controller.error(connectionReset());
      },
      cancel: () => void (tracked.state = 'cancelled'),
    });
  }
}

/** A layer that waits, or fails in both ways in which a layer can. */
const moody =
  (chance: Chance, runtime: () => TestRuntime): Layer<unknown> =>
  next =>
  call => {
    const mood = chance();
    if (mood < 0.03) throw new Error('a layer threw');
    if (mood < 0.06) return Promise.reject(new Error('a layer rejected'));
    return mood < 0.3
      ? runtime()
          .sleep(10, call.cancellation.signal)
          .then(() => next(call))
      : next(call);
  };

const drawn = (chance: Chance, runtime: () => TestRuntime, deaf: Transport): Partial<ServiceClientOptions> => ({
  deadlineMs: oneOf(chance, [undefined, 150, 1_000, false]),
  attemptTimeoutMs: oneOf(chance, [undefined, 30, 300]),
  retry: oneOf(chance, [undefined, undefined, false, { maxAttempts: 5, baseMs: 1, jitter: 'decorrelated' }]),
  hedge: oneOf(chance, [false, { afterMs: 20 }, { afterMs: 0, max: 3 }, { quantile: 0.5, minCalls: 3, max: 2 }]),
  bulkhead: oneOf(chance, [undefined, { maxInFlight: 3, maxQueue: 4 }, false]),
  circuitBreaker: oneOf(chance, [undefined, false, { minCalls: 3, windowMs: 1_000, openMs: 50, maxOpenMs: 200 }]),
  ejection: oneOf(chance, [undefined, false, { consecutiveFailures: 2, baseMs: 50, maxMs: 200 }]),
  throttle: oneOf(chance, [false, true]),
  adaptiveConcurrency: oneOf(chance, [false, true, { initialLimit: 4, minLimit: 1 }]),
  rateLimit: oneOf(chance, [
    false,
    { limiter: tokenBucket({ perSecond: 40, burst: 5, runtime: runtime() }), mode: oneOf(chance, ['reject', 'wait']) },
  ]),
  cache: oneOf(chance, [false, {}]),
  coalesce: oneOf(chance, [false, true]),
  fallback: oneOf(chance, [false, () => new Response('instead')]),
  layers: oneOf(chance, [undefined, { attempt: [moody(chance, runtime)] }, { call: [moody(chance, runtime)] }]),
  transport: oneOf(chance, [undefined, undefined, deaf]),
  redirects: oneOf(chance, ['same-origin', 'any']),
  propagate: oneOf(chance, ['always', false]),
});

/** A client with everything drawn at random, before three instances of which nothing can be relied on. */
export const leakWorld = async (chance: Chance, seed: number): Promise<LeakWorld> => {
  const server = new Server(chance, () => runtime);
  const runtime: TestRuntime = testRuntime({ seed, fetch: fakeFetch(request => server.answer(request.signal)) });
  const options = drawn(chance, () => runtime, { send: () => server.answer(undefined) });
  const instances = ['a', 'b', 'c'].map((id, index) => ({
    id,
    service: 'users',
    address: '127.0.0.1',
    port: 1_001 + index,
  }));
  const registry = memoryRegistry({ instances });
  const client = createServiceClient({ service: 'users', registry, runtime, ...options });
  if (chance() < 0.8) await runtime.settle();
  return { runtime, client, registry, bodies: server.bodies, options };
};
