import { createServiceClient, memoryRegistry, type ServiceClient, type ServiceClientOptions } from 'fairlead';
import { testRuntime, type TestRuntime } from 'fairlead/testing';

/** What a server does with work that it cannot do soon. */
export type Manner = 'sheds, Retry-After' | 'sheds, bare 503' | 'queues without bound';

const PER_SECOND = 100;
const SERVICE_MS = 1_000 / PER_SECOND;
const SHED_AT_MS = 50;
/** Refusing is work too. */
const SHED_MS = 0.5;

/** One worker that takes 10 ms for a request, one after the other; who gave up is served too, as real servers do. */
class Server {
  readonly #manner: Manner;
  readonly #runtime: TestRuntime;
  readonly #queue: { readonly doneAt: number; readonly answer: () => void }[] = [];
  #busyUntil = 0;
  shed = 0;

  constructor(manner: Manner, runtime: TestRuntime) {
    this.#manner = manner;
    this.#runtime = runtime;
  }

  answer(signal: AbortSignal | undefined): Promise<Response> {
    const now = this.#runtime.now();
    const backlogMs = Math.max(0, this.#busyUntil - now);
    if (this.#manner !== 'queues without bound' && backlogMs >= SHED_AT_MS) {
      this.shed += 1;
      this.#busyUntil += SHED_MS;
      const headers = this.#manner === 'sheds, Retry-After' ? { 'retry-after': '1' } : {};
      return Promise.resolve(new Response(null, { status: 503, headers }));
    }
    this.#busyUntil = now + backlogMs + SERVICE_MS;
    return new Promise((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
      this.#queue.push({ doneAt: this.#busyUntil, answer: () => resolve(new Response(null)) });
      if (this.#queue.length === 1) this.#wake();
    });
  }

  #wake(): void {
    const [first] = this.#queue;
    if (first === undefined) return;
    this.#runtime.after(first.doneAt - this.#runtime.now(), () => {
      this.#queue.shift();
      first.answer();
      this.#wake();
    });
  }
}

export interface Goodput {
  /** Calls that were answered well in the measured time ÷ what the servers can do in it. */
  readonly share: number;
  /** Median time of those, in ms. */
  readonly medianMs: number;
  /** Requests that the servers refused, a second. */
  readonly shedPerSecond: number;
  readonly snapshot: ReturnType<ServiceClient['snapshot']>;
}

/** Calls that were given up in a queue are over once their deadline of 15 s is. */
const FROM_MS = { 'sheds, Retry-After': 5_000, 'sheds, bare 503': 5_000, 'queues without bound': 20_000 };
const FOR_MS = 4_000;
const STEP_MS = 4;

/** Three instances of 100/s each, offered 1 500/s for a while; measured once the beginning is over. */
export const overload = async (manner: Manner, options: Partial<ServiceClientOptions>): Promise<Goodput> => {
  const fromMs = FROM_MS[manner];
  const runtime = testRuntime();
  const servers = Array.from({ length: 3 }, () => new Server(manner, runtime));
  const instances = servers.map((_, index) => ({
    id: `i${index}`,
    service: 'users',
    address: '10.0.0.1',
    port: 1_000 + index,
  }));
  const transport: ServiceClientOptions['transport'] = {
    send: (_request, { instance }, signal) => servers[instance.port - 1_000]!.answer(signal),
  };
  const client = createServiceClient({
    service: 'users',
    registry: memoryRegistry({ instances }),
    runtime,
    transport,
    ...options,
  });
  await runtime.settle();
  const times: number[] = [];
  const callOnce = async (): Promise<void> => {
    const startedAt = runtime.now();
    const response = await client.fetch('/').catch(() => undefined);
    const now = runtime.now();
    if (response?.ok && now >= fromMs && now < fromMs + FOR_MS) times.push(now - startedAt);
  };
  let shedBefore = 0;
  const shed = (): number => servers.reduce((sum, server) => sum + server.shed, 0);
  for (let now = 0; now < fromMs + FOR_MS; now += STEP_MS) {
    if (now === fromMs) shedBefore = shed();
    for (let call = 0; call < 1.5 * STEP_MS; call += 1) void callOnce();
    await runtime.advance(STEP_MS);
  }
  const snapshot = client.snapshot();
  const shedPerSecond = ((shed() - shedBefore) * 1_000) / FOR_MS;
  const closing = client.close({ timeoutMs: 0 });
  await runtime.advance(20_000);
  await closing;
  times.sort((a, b) => a - b);
  const capacity = (3 * PER_SECOND * FOR_MS) / 1_000;
  return { share: times.length / capacity, medianMs: times[times.length >> 1] ?? NaN, shedPerSecond, snapshot };
};
