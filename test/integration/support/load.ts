/** Callers that keep a client busy, and their books on every call. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isFairleadError, type ServiceClient } from 'fairlead';

export interface CallMade {
  /** Unique; sent as the header x-id. */
  readonly id: string;
  readonly method: 'GET' | 'POST';
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** From the call up to the end of its body. */
  readonly ms: number;
  /** `undefined`: it rejected. */
  readonly status: number | undefined;
  readonly error: unknown;
  readonly ok: boolean;
}

export interface LoadOptions {
  /** Each makes its next call when the last one has ended. */
  readonly workers: number;
  /** Every nth call is a POST, without an Idempotency-Key. @default none */
  readonly postEvery?: number;
  /** Pause of a worker between two calls. @default none */
  readonly pauseMs?: () => number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The clock of all books here: finer than Date, and the same in all processes. */
export const wallNow = (): number => performance.timeOrigin + performance.now();

let lastId = 0;

export class Load {
  readonly calls: CallMade[] = [];
  readonly #client: ServiceClient;
  readonly #options: LoadOptions;
  readonly #workers: Promise<void>[];
  #stopped = false;

  constructor(client: ServiceClient, options: LoadOptions) {
    this.#client = client;
    this.#options = options;
    this.#workers = Array.from({ length: options.workers }, () => this.#work());
  }

  /** Begins no more calls; resolves when the last one has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#workers);
  }

  /** Calls that began in the given time, in ms since the epoch. */
  between(from: number, to = Infinity): Calls {
    return new Calls(this.calls.filter(({ startedAt }) => startedAt >= from && startedAt < to));
  }

  async #work(): Promise<void> {
    const { postEvery = Infinity, pauseMs, headers } = this.#options;
    while (!this.#stopped) {
      lastId += 1;
      const method = lastId % postEvery === 0 ? 'POST' : 'GET';
      const call = await callOnce(this.#client, { method, id: `n${lastId}`, headers });
      // The test ended without us.
      if (isFairleadError(call.error, 'CLIENT_CLOSED')) return;
      this.calls.push(call);
      if (pauseMs !== undefined) await sleep(pauseMs());
      // What is refused at once must not keep everything else from running.
      else if (!call.ok) await sleep(1);
    }
  }
}

export class Calls {
  readonly all: readonly CallMade[];

  constructor(all: readonly CallMade[]) {
    this.all = all;
  }

  get count(): number {
    return this.all.length;
  }

  failed(method?: 'GET' | 'POST'): CallMade[] {
    return this.all.filter(call => !call.ok && (method === undefined || call.method === method));
  }

  /** Of all calls, failed ones too; NaN when there is none. */
  quantileMs(share: number): number {
    const sorted = this.all.map(({ ms }) => ms).sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
  }
}

/** Never rejects. */
export const callOnce = async (
  client: ServiceClient,
  { method, id, headers }: Pick<CallMade, 'method' | 'id'> & { headers?: Readonly<Record<string, string>> | undefined },
): Promise<CallMade> => {
  const startedAt = wallNow();
  const init = { method, headers: { ...headers, 'x-id': id }, ...(method === 'POST' ? { body: id } : {}) };
  const end = (status: number | undefined, error: unknown): CallMade => {
    const ok = error === undefined && status === 200;
    return { id, method, startedAt, ms: wallNow() - startedAt, status, error, ok };
  };
  let status: number | undefined;
  try {
    const response = await client.fetch('/work', init);
    status = response.status;
    await response.text();
    return end(status, undefined);
  } catch (error) {
    return end(status, error ?? new Error('rejected with nothing'));
  }
};
