import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { withDeadline, type CallOptions, type Invocation, type ServiceRequestInit } from 'fairlead';
import { seededRandom } from '../../src/testing/test-runtime.js';
import { leakWorld, oneOf, type Chance, type LeakWorld } from './leak-world.js';

const CALLS = 60;
/** Another one: FAIRLEAD_SEED=123 npx vitest run --project unit test/scenarios/no-leaks.test.ts */
const SEEDS = process.env.FAIRLEAD_SEED
  ? [Number(process.env.FAIRLEAD_SEED)]
  : Array.from({ length: 40 }, (_, n) => n + 1);

/** Reads a body as a caller may: whole, a piece of it, or not at all; never longer than it has patience. */
const readSomehow = async ({ runtime }: LeakWorld, chance: Chance, response: Response): Promise<void> => {
  if (response.body === null) return;
  if (chance() < 0.2) return response.body.cancel();
  const reader = response.body.getReader();
  const impatient = runtime.after(500, () => void reader.cancel().catch(() => undefined));
  const pieces = oneOf(chance, [0, 1, Infinity]);
  try {
    for (let piece = 0; piece < pieces && !(await reader.read()).done; piece += 1);
    await reader.cancel();
  } finally {
    impatient();
  }
};

/** Signals that callers hold: one lives as long as they all, the others for one call. */
class Callers {
  readonly signals: AbortSignal[] = [];
  readonly #shared = new AbortController();
  readonly #world: LeakWorld;
  readonly #chance: Chance;

  constructor(world: LeakWorld, chance: Chance) {
    this.#world = world;
    this.#chance = chance;
    this.signals.push(this.#shared.signal);
  }

  async call(): Promise<void> {
    const { client, runtime } = this.#world;
    const chance = this.#chance;
    const options = this.#options();
    if (chance() < 0.2) {
      const fn = async ({ signal }: Invocation): Promise<void> => {
        await runtime.sleep(chance() * 100, chance() < 0.5 ? signal : undefined);
        if (chance() < 0.4) throw new Error('the function failed');
      };
      await client.call(fn, { ...options, idempotent: chance() < 0.7, signal: this.#signal() });
      return;
    }
    const response = await client.fetch(oneOf(chance, ['/a', '/b']), this.#init(options));
    await readSomehow(this.#world, chance, response);
  }

  #init(fairlead: CallOptions): ServiceRequestInit {
    const chance = this.#chance;
    const signal = this.#signal() ?? null;
    const method = oneOf(chance, ['GET', 'GET', 'GET', 'PUT', 'POST']);
    if (method === 'GET') return { fairlead, signal };
    const body = oneOf(chance, ['text', new Blob(['stream']).stream()]);
    return { fairlead, signal, method, body, duplex: 'half' };
  }

  #options(): Pick<CallOptions, 'deadlineMs' | 'attemptTimeoutMs' | 'retry' | 'hedge'> {
    return {
      deadlineMs: oneOf(this.#chance, [undefined, undefined, 40, false]),
      attemptTimeoutMs: oneOf(this.#chance, [undefined, undefined, 25]),
      retry: oneOf(this.#chance, [undefined, undefined, false, { maxAttempts: 4 }]),
      hedge: oneOf(this.#chance, [undefined, undefined, false, { afterMs: 15 }]),
    };
  }

  #signal(): AbortSignal | undefined {
    const kind = this.#chance();
    if (kind < 0.3) return undefined;
    if (kind < 0.6) return this.#shared.signal;
    const controller = new AbortController();
    this.signals.push(controller.signal);
    if (kind < 0.65) controller.abort(new Error('aborted before'));
    else this.#world.runtime.after(this.#chance() * 400, () => controller.abort(new Error('aborted')));
    return controller.signal;
  }
}

/** Instances come and go, and the registry with them. */
const shake = ({ registry }: LeakWorld, chance: Chance): void => {
  const instances = ['a', 'b', 'c', 'd']
    .filter(() => chance() < 0.7)
    .map(id => ({
      id,
      address: '127.0.0.1',
      port: 1_001 + id.charCodeAt(0) - 97,
      weight: oneOf(chance, [0, 1, 1, 2]),
    }));
  if (chance() < 0.3) registry.fail();
  else registry.recover();
  registry.set('users', instances);
};

describe('no order of abort, timeout, refusal, hedge and close leaves anything behind', () => {
  it.each(SEEDS)('seed %i', async seed => {
    const chance = seededRandom(seed);
    const world = await leakWorld(chance, seed);
    const { client, runtime } = world;
    const callers = new Callers(world, chance);
    const closesAt = chance() < 0.4 ? Math.floor(chance() * CALLS) : CALLS;
    let unfinished = CALLS + 1;
    const finished = (): void => void (unfinished -= 1);
    let closed: Promise<void> | undefined;
    for (let call = 0; call < CALLS; call += 1) {
      if (call === closesAt) closed = client.close({ timeoutMs: oneOf(chance, [0, 50, 500]) });
      const inherited = chance() < 0.15 ? chance() * 200 : Infinity;
      const work = withDeadline(inherited, () => callers.call(), runtime);
      // How it ends is for other tests: here it has to end.
      work.then(finished, finished);
      if (chance() < 0.1) shake(world, chance);
      await runtime.advance(Math.floor(chance() * oneOf(chance, [0, 10, 100])));
    }
    await runtime.advance(5_000);
    (closed ?? client.close({ timeoutMs: 1_000 })).then(finished, finished);
    await runtime.advance(60_000);
    const { inFlight, bulkhead, limiter, adaptiveConcurrency, instances, breaker } = client.snapshot();
    const left = {
      unfinished,
      inFlight,
      bulkhead: (bulkhead?.inFlight ?? 0) + (bulkhead?.queued ?? 0),
      limiter: limiter?.waiting ?? 0,
      adaptiveConcurrency: adaptiveConcurrency?.inFlight ?? 0,
      instances: instances.reduce((sum, instance) => sum + instance.inFlight, 0),
      listeners: callers.signals.reduce((sum, signal) => sum + getEventListeners(signal, 'abort').length, 0),
      timers: runtime.pendingTimers,
      bodies: world.bodies.filter(({ state }) => state === 'open').map(({ request }) => request),
    };
    expect(left, `seed ${seed}, ${JSON.stringify({ options: world.options, breaker })}`).toEqual({
      unfinished: 0,
      inFlight: 0,
      bulkhead: 0,
      limiter: 0,
      adaptiveConcurrency: 0,
      instances: 0,
      listeners: 0,
      timers: 0,
      bodies: [],
    });
  });
});
