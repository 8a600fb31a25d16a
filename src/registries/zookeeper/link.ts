/**
 * One client of the package, hence one ZooKeeper session, from its first connection to its end. The package reconnects
 * within a session; what it has no clock for is here: a server that keeps silent, and a session that nobody ends.
 */
import type { FairleadError } from '../../core/errors.js';
import type { Runtime } from '../../core/runtime.js';
import { asked, type Answered, type Ask } from './ask.js';
import { authFailed, unavailable } from './failure.js';
import { gripOf, type Grip } from './guard.js';
import type { RawClient, Watcher } from './peer.js';
import { Watchers } from './watchers.js';

export interface LinkParts {
  readonly client: RawClient;
  /** The caller's own client is neither connected nor cut nor closed here. */
  readonly borrowed: boolean;
  /** For messages: `zookeeper at HOST:PORT`. */
  readonly name: string;
  /** Of the session, as asked for; the server may decide otherwise. */
  readonly timeoutMs: number;
  readonly requestTimeoutMs: number;
  /** How many there are to try within the time of a session. */
  readonly servers: number;
  readonly runtime: Runtime;
  readonly connected: () => void;
  /** Once, unless `close()` was called. */
  readonly ended: (reason: FairleadError) => void;
}

const SHORTEST_TRY_MS = 500;
const FAREWELL_MS = 1_000;

/**
 *              the server answers            the connection breaks
 *   away ────────────────────────▶ connected ─────────────────────▶ away
 *     │   a session's time without a server       │ expired, refused
 *     └──────────────▶ ended ◀────────────────────┘
 */
export class Link {
  readonly #parts: LinkParts;
  readonly #grip: Grip | undefined;
  readonly #watchers = new Watchers();
  readonly #downs = new Set<(reason: FairleadError) => void>();
  #state: 'away' | 'connected' | 'ended' = 'away';
  #session = '';
  #timeoutMs: number;
  #heardAt: number;
  #stopTimer: () => void = () => undefined;

  constructor(parts: LinkParts) {
    this.#parts = parts;
    this.#timeoutMs = parts.timeoutMs;
    this.#heardAt = parts.runtime.now();
    parts.client.on('state', this.#changed);
    if (parts.borrowed) {
      this.#changed(parts.client.getState());
      return;
    }
    this.#grip = gripOf(parts.client);
    parts.client.connect();
    this.#persist();
  }

  get isConnected(): boolean {
    return this.#state === 'connected';
  }

  /** The id of its session, in hex; empty before it has one. */
  get session(): string {
    return this.#session;
  }

  get name(): string {
    return this.#parts.name;
  }

  /** Tells once when the connection breaks or the session ends. Returns how to unsubscribe. */
  onDown(listener: (reason: FairleadError) => void): () => void {
    this.#downs.add(listener);
    return () => void this.#downs.delete(listener);
  }

  /** Tells of events of a path that requests have armed with `watcherOf`. Returns how to unsubscribe. */
  onEvent(path: string, listener: Watcher): () => void {
    return this.#watchers.on(path, listener);
  }

  watcherOf(path: string): Watcher {
    return this.#watchers.of(path);
  }

  /** One request. Rejects when the connection breaks, late, and with the reason of an abort. */
  ask<T>(ask: Ask, start: (client: RawClient, answered: Answered<T>) => void): Promise<T> {
    const { client, runtime, name, requestTimeoutMs } = this.#parts;
    if (ask.signal?.aborted === true) return Promise.reject<T>(ask.signal.reason);
    if (this.#state !== 'connected') return Promise.reject(unavailable(`${name}: ${ask.what} failed: not connected`));
    return asked<T>({
      ...{ ask, name, runtime, timeoutMs: ask.timeoutMs ?? requestTimeoutMs },
      start: answered => start(client, answered),
      onDown: listener => this.onDown(listener),
      heard: () => void (this.#heardAt = runtime.now()),
    });
  }

  /** Ends the session on the server, or leaves it to its timeout when no server listens within a second. */
  close(): Promise<void> {
    const connected = this.#state === 'connected';
    this.#stop();
    this.#fall(unavailable(`${this.#parts.name}: the session was closed`));
    const grip = this.#grip;
    if (grip === undefined) return Promise.resolve();
    if (!connected) return Promise.resolve(grip.destroy());
    return new Promise(resolve => {
      const { client, runtime } = this.#parts;
      const gone = (): void => {
        stopTimer();
        client.removeListener('state', gone);
        grip.destroy();
        resolve();
      };
      const stopTimer = runtime.after(FAREWELL_MS, gone);
      client.on('state', gone);
      grip.close();
    });
  }

  readonly #changed = (state: { getName(): string }): void => {
    const name = state.getName();
    const said = this.#parts.name;
    if (name === 'SYNC_CONNECTED') this.#rise();
    else if (name === 'EXPIRED') this.#end(unavailable(`${said}: the session expired`));
    else if (name === 'AUTH_FAILED') this.#end(authFailed(said));
    else if (this.#state === 'connected') {
      this.#state = 'away';
      this.#persist();
      this.#fall(unavailable(`${said}: the connection was lost`));
    }
  };

  #rise(): void {
    const { client, runtime, connected } = this.#parts;
    this.#state = 'connected';
    this.#session = client.getSessionId().toString('hex');
    this.#timeoutMs = client.getSessionTimeout();
    this.#heardAt = runtime.now();
    this.#beat();
    connected();
  }

  /** The package sends pings and does not mind that nobody answers. Twice a third of the session's time is noticed. */
  #beat(): void {
    const everyMs = this.#timeoutMs / 3;
    this.#stopTimer();
    if (this.#parts.borrowed) return;
    this.#stopTimer = this.#parts.runtime.after(everyMs, () => {
      const alive = this.ask<unknown>({ what: 'exists /', timeoutMs: everyMs }, (client, done) =>
        client.exists('/', undefined, done),
      );
      alive.then(
        () => void (this.isConnected && this.#beat()),
        () => void (this.isConnected && this.#grip?.cut('no answer')),
      );
    });
  }

  /** A server that accepts and does not answer is left for the next; a session that no server can have kept is over. */
  #persist(): void {
    this.#stopTimer();
    if (this.#parts.borrowed) return;
    const { runtime, servers, name } = this.#parts;
    const tryMs = Math.max(SHORTEST_TRY_MS, this.#timeoutMs / (servers + 1));
    this.#stopTimer = runtime.after(tryMs, () => {
      const awayMs = runtime.now() - this.#heardAt;
      if (awayMs >= this.#timeoutMs) return this.#end(unavailable(`${name}: no server for ${Math.round(awayMs)} ms`));
      this.#grip?.cut('no answer');
      this.#persist();
    });
  }

  #end(reason: FairleadError): void {
    if (this.#state === 'ended') return;
    this.#stop();
    this.#grip?.destroy();
    this.#fall(reason);
    this.#parts.ended(reason);
  }

  #stop(): void {
    this.#state = 'ended';
    this.#stopTimer();
    this.#parts.client.removeListener('state', this.#changed);
  }

  #fall(reason: FairleadError): void {
    const downs = [...this.#downs];
    this.#downs.clear();
    for (const tell of downs) tell(reason);
  }
}
