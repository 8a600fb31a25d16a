/** A ZooKeeper in memory, and clients of it that look like the package's: time is virtual, and all that is slow is told. */
import { EventEmitter } from 'node:events';
import type { RawClient, Stat, Transaction, Watcher } from '../../../src/registries/zookeeper/peer.js';

interface FakeNode {
  data: Buffer;
  readonly czxid: number;
  mzxid: number;
  version: number;
  cversion: number;
  readonly owner: Buffer;
}

const long = (value: number): Buffer => {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64BE(BigInt(value));
  return buffer;
};
const exception = (code: number): Error => Object.assign(new Error(`Exception: CODE[${code}]`), { code });
const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/';

export class FakeZooKeeper {
  readonly nodes = new Map<string, FakeNode>();
  readonly clients: FakeClient[] = [];
  readonly requests: string[] = [];
  readonly watches = new Map<string, Set<Watcher>>();
  /** Accepts connections and answers requests. */
  mode: 'up' | 'silent' | 'down' | 'refusing' = 'up';
  /** Answered to all writes. */
  writeError: number | undefined;
  #zxid = 0;
  #sessions = 0;

  constructor() {
    this.put('/', '');
  }

  readonly make = (sessionTimeoutMs: number): FakeClient => {
    const client = new FakeClient(this, sessionTimeoutMs);
    this.clients.push(client);
    return client;
  };

  get client(): FakeClient {
    return this.clients.at(-1)!;
  }

  newSession(): Buffer {
    return long((this.#sessions += 1));
  }

  put(path: string, data: string | Buffer, owner = 0): void {
    const zxid = (this.#zxid += 1);
    const common = { data: Buffer.from(data), czxid: zxid, mzxid: zxid, version: 0, cversion: 0 };
    this.nodes.set(path, { ...common, owner: long(owner) });
    this.#childrenChanged(path);
  }

  set(path: string, data: Buffer): void {
    const node = this.nodes.get(path)!;
    Object.assign(node, { data, mzxid: (this.#zxid += 1), version: node.version + 1 });
    this.fire(path, 3);
  }

  drop(path: string): void {
    this.nodes.delete(path);
    this.#childrenChanged(path);
  }

  /** The end of a session: its nodes go. */
  expire(client: FakeClient): void {
    for (const [path, { owner }] of this.nodes) if (owner.equals(client.getSessionId())) this.drop(path);
    client.become('EXPIRED');
  }

  children(path: string): string[] {
    return [...this.nodes.keys()]
      .filter(key => key !== '/' && parentOf(key) === path)
      .map(key => key.split('/').at(-1)!);
  }

  stat(path: string): Stat {
    const { czxid, mzxid, version, cversion, owner } = this.nodes.get(path)!;
    return { czxid: long(czxid), mzxid: long(mzxid), version, cversion, ephemeralOwner: owner };
  }

  /** A watch of children and one of the node are two, and end with their own kind of event; both with a deletion. */
  fire(path: string, type: number): void {
    const kinds = type === 4 ? ['children'] : type === 2 ? ['children', 'node'] : ['node'];
    for (const kind of kinds) {
      const watchers = this.watches.get(`${kind} ${path}`) ?? new Set();
      this.watches.delete(`${kind} ${path}`);
      for (const watcher of watchers) watcher({ getType: () => type });
    }
  }

  #childrenChanged(path: string): void {
    const parent = this.nodes.get(parentOf(path));
    if (parent !== undefined) parent.cversion += 1;
    this.fire(path, 1);
    this.fire(parentOf(path), 4);
  }
}

type Step = () => number | undefined;

export class FakeClient extends EventEmitter implements RawClient {
  readonly timeoutMs: number;
  closed = false;
  /** Times that we cut its connection. */
  cuts = 0;
  readonly auth: string[] = [];
  readonly #server: FakeZooKeeper;
  #state = 'DISCONNECTED';
  #session: Buffer = long(0);
  /** What is ours to hold on to, of the package. */
  readonly connectionManager = {
    pendingBuffer: null,
    socket: { destroyed: false, destroy: (): void => this.cut() },
    findNextServer: (found: (server: unknown) => void): void => found({}),
    onSocketData: (): void => undefined,
    onSocketClosed: (): void => undefined,
  };

  constructor(server: FakeZooKeeper, timeoutMs: number) {
    super();
    this.#server = server;
    this.timeoutMs = timeoutMs;
  }

  connect(): void {
    void Promise.resolve().then(() => this.reach());
  }

  /** Tries to connect, as the package does all the time. */
  reach(): void {
    if (this.closed || this.#state !== 'DISCONNECTED') return;
    if (this.#server.mode === 'refusing') return this.become('AUTH_FAILED');
    if (this.#server.mode !== 'up') return;
    if (this.#session.equals(long(0))) this.#session = this.#server.newSession();
    this.become('SYNC_CONNECTED');
  }

  cut(): void {
    this.cuts += 1;
    if (this.#state === 'SYNC_CONNECTED') this.become('DISCONNECTED');
    this.connect();
  }

  become(name: string): void {
    this.#state = name;
    this.emit('state', { getName: () => name });
  }

  close(): void {
    this.closed = true;
    if (this.#state === 'SYNC_CONNECTED') void Promise.resolve().then(() => this.become('DISCONNECTED'));
  }

  getState = (): { getName(): string } => ({ getName: () => this.#state });
  getSessionId = (): Buffer => this.#session;
  getSessionTimeout = (): number => this.timeoutMs;
  addAuthInfo = (scheme: string): void => void this.auth.push(scheme);

  exists(path: string, watcher: Watcher | undefined, done: (error: unknown, stat: Stat | null) => void): void {
    this.#answer(`exists ${path}`, () => {
      this.#watch(`node ${path}`, watcher);
      done(null, this.#server.nodes.has(path) ? this.#server.stat(path) : null);
    });
  }

  getChildren(
    path: string,
    watcher: Watcher | undefined,
    done: (error: unknown, names: string[], stat: Stat) => void,
  ): void {
    this.#answer(`getChildren ${path}`, () => {
      if (!this.#server.nodes.has(path)) return done(exception(-101), [], undefined as never);
      this.#watch(`children ${path}`, watcher);
      done(null, this.#server.children(path), this.#server.stat(path));
    });
  }

  getData(
    path: string,
    watcher: Watcher | undefined,
    done: (error: unknown, data: Buffer | undefined, stat: Stat) => void,
  ): void {
    this.#answer(`getData ${path}`, () => {
      const node = this.#server.nodes.get(path);
      if (node === undefined) return done(exception(-101), undefined, undefined as never);
      this.#watch(`node ${path}`, watcher);
      done(null, node.data, this.#server.stat(path));
    });
  }

  create(
    path: string,
    data: Buffer,
    _acls: readonly unknown[],
    mode: number,
    done: (error: unknown, path: string) => void,
  ): void {
    this.#answer(`create ${path}`, () => {
      const code = this.#server.writeError ?? this.#created(path, data, mode);
      done(code === undefined ? null : exception(code), path);
    });
  }

  remove(path: string, _version: number, done: (error: unknown) => void): void {
    this.#answer(`remove ${path}`, () => {
      this.#server.drop(path);
      done(null);
    });
  }

  transaction(): Transaction {
    const steps: Step[] = [];
    const transaction: Transaction = {
      create: (path, data, _acls, mode) => (steps.push(() => this.#created(path, data, mode)), transaction),
      remove: path => (steps.push(() => void this.#server.drop(path)), transaction),
      setData: (path, data) => (steps.push(() => void this.#server.set(path, data)), transaction),
      commit: done =>
        this.#answer('commit', () => {
          const code = this.#server.writeError ?? steps.map(step => step()).find(result => result !== undefined);
          done(code === undefined ? null : exception(code), []);
        }),
    };
    return transaction;
  }

  #created(path: string, data: Buffer, mode: number): number | undefined {
    if (!this.#server.nodes.has(parentOf(path))) return -101;
    if (this.#server.nodes.has(path)) return -110;
    this.#server.put(path, data, mode === 1 ? Number(this.#session.readBigUInt64BE()) : 0);
    return undefined;
  }

  #watch(key: string, watcher: Watcher | undefined): void {
    if (watcher === undefined) return;
    this.#server.watches.set(key, (this.#server.watches.get(key) ?? new Set()).add(watcher));
  }

  #answer(request: string, answer: () => void): void {
    this.#server.requests.push(request);
    if (this.#server.mode === 'up') void Promise.resolve().then(answer);
  }
}
