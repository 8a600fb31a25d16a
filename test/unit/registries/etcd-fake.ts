/** An etcd in memory behind the calls of the `etcd3` package that are used: keys, leases, watches, tokens, and faults. */
import { EventEmitter } from 'node:events';
import type { CallOptions, GrpcListener, KeyValue, WatchAnswer } from '../../../src/registries/etcd/peer.js';
import type { RegistryProblem, WatchContext } from '../../../src/core/registry.js';
import type { Runtime } from '../../../src/core/runtime.js';

export interface Fault {
  readonly code: number;
  readonly details: string;
}
export const UNAVAILABLE: Fault = { code: 14, details: 'connect ECONNREFUSED' };

interface Stored {
  value: string;
  created: number;
  lease: string;
}

class FakeStream extends EventEmitter {
  readonly written: object[] = [];
  ended = false;
  readonly #answer: (stream: FakeStream, request: Record<string, never>) => void;

  constructor(answer: (stream: FakeStream, request: Record<string, never>) => void) {
    super();
    this.#answer = answer;
  }

  write(request: object): void {
    this.written.push(request);
    queueMicrotask(() => this.#answer(this, request as Record<string, never>));
  }

  end(): void {
    this.ended = true;
  }
}

export class FakeEtcd {
  readonly store = new Map<string, Stored>();
  readonly leases = new Set<string>();
  readonly calls: string[] = [];
  readonly requests: { readonly what: string; readonly request: Record<string, unknown> }[] = [];
  /** Of the calls so far, in their order. */
  readonly metadata: Record<string, string>[] = [];
  readonly watches: FakeStream[] = [];
  cancelled = 0;
  closed = 0;
  revision = 1;
  /** Answers all calls of a name (or `'*'`), while it is set. */
  readonly faults = new Map<string, Fault | 'hang'>();
  maxBytes = Infinity;
  token: string | undefined;
  #ids = 0;

  put(key: string, value: string, lease = '0'): void {
    this.revision += 1;
    this.store.set(key, { value, lease, created: this.store.get(key)?.created ?? this.revision });
    this.tell('PUT', key);
  }

  remove(key: string): void {
    if (!this.store.has(key)) return;
    this.revision += 1;
    this.tell('DELETE', key);
    this.store.delete(key);
  }

  expire(lease: string): void {
    this.leases.delete(lease);
    for (const [key, stored] of [...this.store]) if (stored.lease === lease) this.remove(key);
  }

  /** To every watch, as it would be answered. */
  say(answer: Partial<WatchAnswer>): void {
    for (const stream of this.watches.filter(({ ended }) => !ended)) stream.emit('data', this.#watchAnswer(answer));
  }

  tell(type: string, key: string): void {
    this.say({ events: [{ type, kv: this.#keyValue(key) }] });
  }

  readonly kv = {
    range: (request: object, options: CallOptions) =>
      this.#call('range', request, options, ({ key, range_end, limit = 0 }) => {
        const [from, to] = [String(key), range_end === undefined ? undefined : String(range_end)];
        const keys = [...this.store.keys()]
          .sort()
          .filter(one => (to === undefined ? one === from : one >= from && one < to));
        const kvs = keys.slice(0, limit === 0 ? undefined : Number(limit)).map(one => this.#keyValue(one));
        if (kvs.reduce((sum, { value }) => sum + value.length, 0) > this.maxBytes)
          throw { code: 8, details: 'Received message larger than max (9 vs. 4)' } satisfies Fault;
        return { header: this.#header, kvs, more: kvs.length < keys.length };
      }),
    put: (request: object, options: CallOptions) =>
      this.#call('put', request, options, ({ key, value, lease }) => {
        if (!this.leases.has(String(lease))) throw { code: 5, details: 'etcdserver: requested lease not found' };
        this.put(String(key), String(value), String(lease));
        return { header: this.#header };
      }),
  };

  readonly leaseClient = {
    leaseGrant: (request: object, options: CallOptions) =>
      this.#call('leaseGrant', request, options, () => {
        const ID = String((this.#ids += 1));
        this.leases.add(ID);
        return { ID };
      }),
    leaseRevoke: (request: object, options: CallOptions) =>
      this.#call('leaseRevoke', request, options, ({ ID }) => {
        if (!this.leases.has(String(ID))) throw { code: 5, details: 'etcdserver: requested lease not found' };
        this.expire(String(ID));
        return {};
      }),
    leaseKeepAlive: async (options: CallOptions) =>
      this.#stream('leaseKeepAlive', options, (stream, { ID }) => {
        stream.emit('data', { TTL: this.leases.has(String(ID)) ? '15' : '0' });
      }),
  };

  readonly watchClient = {
    watch: async (options: CallOptions) => {
      const stream = this.#stream('watch', options, created => {
        if (!created.ended) created.emit('data', this.#watchAnswer({ created: true }));
      });
      this.watches.push(stream);
      return stream;
    },
  };

  readonly auth = {
    authenticate: (request: object, options: CallOptions) =>
      this.#call('authenticate', request, options, () => {
        this.token = `token-${(this.#ids += 1)}`;
        return { token: this.token };
      }),
  };

  close(): void {
    this.closed += 1;
  }

  get #header() {
    return { revision: String(this.revision) };
  }

  #keyValue(key: string): KeyValue {
    const { value = '', created = 0, lease = '0' } = this.store.get(key) ?? {};
    return { key: Buffer.from(key), value: Buffer.from(value), create_revision: String(created), lease };
  }

  #watchAnswer(answer: Partial<WatchAnswer>): WatchAnswer {
    const none = { created: false, canceled: false, compact_revision: '0', cancel_reason: '', events: [] };
    return { header: this.#header, ...none, ...answer };
  }

  #call<T>(
    what: string,
    request: object,
    options: CallOptions,
    answer: (request: Record<string, string | undefined>) => T,
  ): Promise<T> {
    this.requests.push({ what, request: request as Record<string, unknown> });
    return new Promise((resolve, reject) => {
      const fail = (status: Fault): void => reject(new Error(`${status.code} ${status.details}`));
      const listener = this.#start(what, options, fail);
      if (listener === undefined) return;
      void Promise.resolve().then(() => {
        try {
          resolve(answer(request as Record<string, string>));
        } catch (fault) {
          listener.onReceiveStatus?.(fault as Fault);
        }
      });
    });
  }

  #stream(
    what: string,
    options: CallOptions,
    answer: (stream: FakeStream, request: Record<string, never>) => void,
  ): FakeStream {
    let mute = false;
    const stream = new FakeStream((...args) => void (mute || answer(...args)));
    const fail = (status: Fault): void =>
      void setImmediate(() => stream.emit('error', Object.assign(new Error(status.details), status)));
    mute = this.#start(what, options, fail) === undefined;
    return stream;
  }

  /** Runs the interceptors as grpc-js does. Undefined: no answer is to be made. */
  #start(what: string, options: CallOptions, fail: (status: Fault) => void): GrpcListener | undefined {
    this.calls.push(what);
    const metadata: Record<string, string> = {};
    this.metadata.push(metadata);
    let outer: GrpcListener = {};
    let live = true;
    const call = {
      start: (_: unknown, listener: GrpcListener = {}) => void (outer = listener),
      cancelWithStatus: (code: number, details: string) => {
        this.cancelled += 1;
        live = false;
        outer.onReceiveStatus?.({ code, details });
      },
    };
    const intercepted = options.interceptors[0]?.({}, () => call) ?? call;
    intercepted.start(
      { set: (key, value) => void (metadata[key] = value) },
      { onReceiveStatus: status => status.code !== 0 && fail(status) },
    );
    const fault = this.faults.get(what) ?? this.faults.get('*') ?? this.#tokenFault(what, metadata);
    if (fault === 'hang' || !live) return undefined;
    if (fault === undefined) return outer;
    void Promise.resolve().then(() => outer.onReceiveStatus?.(fault));
    return undefined;
  }

  #tokenFault(what: string, { token }: Record<string, string>): Fault | undefined {
    if (this.token === undefined || what === 'authenticate' || token === this.token) return undefined;
    return { code: 16, details: 'etcdserver: invalid auth token' };
  }
}

export const contextOn = (runtime: Runtime): WatchContext & { readonly problems: RegistryProblem[]; abort(): void } => {
  const controller = new AbortController();
  const problems: RegistryProblem[] = [];
  return {
    ...{ signal: controller.signal, runtime, problems },
    report: problem => void problems.push(problem),
    abort: () => controller.abort(new Error('enough')),
  };
};
