import { createServiceClient, memoryRegistry, type ServiceClient, type ServiceClientOptions } from 'fairlead';
import { connectionRefused, connectionReset, fakeFetch, testRuntime, type TestRuntime } from 'fairlead/testing';

export type Mode = 'ok' | 'refuses' | 'resets' | 'hangs' | 500 | 503 | 'asks for 60 s' | 'nacks';

/** One instance of the service, as a function with a mood. */
export interface FakeServer {
  readonly id: string;
  mode: Mode;
  latencyMs: number;
  /** Requests that arrived, refused ones included. */
  arrived: number;
  /** Attempts that arrived since `arrivals` was last emptied: [monotonic ms, method]. */
  arrivals: [number, string][];
  /** Values of the header x-id of the requests that were processed. */
  processed: string[];
}

export interface World {
  readonly runtime: TestRuntime;
  readonly client: ServiceClient;
  readonly servers: readonly FakeServer[];
  readonly registry: ReturnType<typeof memoryRegistry>;
}

const answer = async (server: FakeServer, request: Request, runtime: TestRuntime): Promise<Response> => {
  const { mode } = server;
  server.arrived += 1;
  server.arrivals.push([runtime.now(), request.method]);
  if (mode === 'refuses') throw connectionRefused();
  if (mode === 'hangs') return new Promise<Response>(() => undefined);
  if (mode === 'nacks') return new Response(null, { status: 503, headers: { 'retry-after': '0' } });
  if (mode === 'asks for 60 s') return new Response(null, { status: 503, headers: { 'retry-after': '60' } });
  if (mode === 503) return new Response(null, { status: 503 });
  await runtime.sleep(server.latencyMs, request.signal);
  server.processed.push(request.headers.get('x-id') ?? '');
  // Killed or broken while it worked: the caller cannot know whether it was done.
  if (mode === 'resets' || server.mode === 'refuses') throw connectionReset();
  return new Response(mode === 500 ? null : 'ok', { status: mode === 500 ? 500 : 200 });
};

/** A service of `count` instances with 50 ms handlers, on virtual time. */
export const makeWorld = async (
  options: Partial<ServiceClientOptions> & { count?: number; seed?: number } = {},
): Promise<World> => {
  const { count = 3, seed = 1, ...own } = options;
  const servers = Array.from({ length: count }, (_, index): FakeServer => ({
    id: 'abcdefghijklmnop'[index]!,
    mode: 'ok',
    latencyMs: 50,
    arrived: 0,
    arrivals: [],
    processed: [],
  }));
  const runtime: TestRuntime = testRuntime({
    seed,
    fetch: fakeFetch(request => answer(servers[Number(new URL(request.url).port) - 1_001]!, request, runtime)),
  });
  const instances = servers.map(({ id }, index) => ({
    id,
    service: 'users',
    address: '127.0.0.1',
    port: 1_001 + index,
  }));
  const registry = memoryRegistry({ instances });
  const client = createServiceClient({ service: 'users', registry, runtime, ...own });
  await runtime.settle();
  return { runtime, client, servers, registry };
};

export interface Tally {
  calls: number;
  failed: number;
  /** [monotonic ms of the start, duration in ms, failed?] of each call. */
  readonly log: [startedAt: number, ms: number, failed: boolean][];
}

/** `workers` callers, each with its next call as soon as the last ended, for `forMs` of virtual time. */
export const load = async (
  world: World,
  { forMs, workers = 30, init = {} }: { forMs: number; workers?: number; init?: RequestInit },
): Promise<Tally> => {
  const tally: Tally = { calls: 0, failed: 0, log: [] };
  const until = world.runtime.now() + forMs;
  const work = async (): Promise<void> => {
    while (world.runtime.now() < until) {
      const startedAt = world.runtime.now();
      const ok = await callOnce(world, init);
      tally.calls += 1;
      if (!ok) tally.failed += 1;
      tally.log.push([startedAt, world.runtime.now() - startedAt, !ok]);
      // Refused at once, for ever, would let no time pass.
      if (world.runtime.now() === startedAt) await world.runtime.sleep(10);
    }
  };
  const all = Promise.all(Array.from({ length: workers }, work));
  await world.runtime.advance(forMs);
  await world.runtime.advance(20_000);
  await all;
  return tally;
};

/** `perSecond` new calls a second, whether the others ended or not. */
export const offer = async (
  world: World,
  { perSecond, forMs }: { perSecond: number; forMs: number },
): Promise<Tally> => {
  const tally: Tally = { calls: 0, failed: 0, log: [] };
  const pending: Promise<void>[] = [];
  for (let at = 0; at < forMs; at += 1_000 / perSecond) {
    const startedAt = world.runtime.now();
    tally.calls += 1;
    pending.push(
      callOnce(world, {}).then(ok => {
        if (!ok) tally.failed += 1;
        tally.log.push([startedAt, world.runtime.now() - startedAt, !ok]);
      }),
    );
    await world.runtime.advance(1_000 / perSecond);
  }
  await world.runtime.advance(20_000);
  await Promise.all(pending);
  return tally;
};

const callOnce = async ({ client }: World, init: RequestInit): Promise<boolean> => {
  try {
    const response = await client.fetch('/users/1', init);
    await response.text();
    return response.ok;
  } catch {
    return false;
  }
};

export const failedBetween = ({ log }: Tally, from: number, to: number): number =>
  log.filter(([startedAt, , failed]) => failed && startedAt >= from && startedAt < to).length;
