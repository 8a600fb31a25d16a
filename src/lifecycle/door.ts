import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Runtime } from '../core/runtime.js';
import type { Bound } from './address.js';
import type { ServiceServer } from './options.js';
import { within } from './within.js';

export interface DoorPlan {
  readonly server: ServiceServer;
  readonly runtime: Runtime;
  /** It cannot listen; it may yet. */
  failed(error: unknown): void;
  /** Somebody else closed it. */
  closed(): void;
}

interface Opened {
  readonly at: number;
  /** More than these: a request has begun. (On TLS some bytes came before.) */
  readonly bytesRead: number;
}

/** Between two looks at connections that have fallen idle while the rest finishes. */
const SWEEP_MS = 50;
/** A connection that was made and never used is of a caller that keeps one in stock: nothing will be lost with it. */
const UNUSED_MS = 1_000;
/** How long what was cut may take to say that it is closed. */
const LAST_MS = 1_000;

/** The server as its callers meet it: open, leaving (each answer tells its caller to go elsewhere), closed. */
export class Door {
  readonly #plan: DoorPlan;
  readonly #server: Server;
  readonly #connectionEvent: 'connection' | 'secureConnection';
  readonly #responses = new Set<ServerResponse>();
  readonly #sockets = new Map<Socket, Opened>();
  readonly #whenListening: (() => void)[] = [];
  #state: 'open' | 'leaving' | 'draining' = 'open';
  #whenClosed: (() => void) | undefined;

  constructor(plan: DoorPlan) {
    this.#plan = plan;
    this.#server = plan.server;
    this.#connectionEvent = 'setSecureContext' in plan.server ? 'secureConnection' : 'connection';
    // First of all listeners: a framework's may answer at once.
    this.#server.prependListener('request', this.#onRequest);
    this.#server.on(this.#connectionEvent, this.#onConnection);
    this.#server.on('close', this.#onClose);
    if (this.#server.listening) return;
    this.#server.on('error', this.#onError);
    this.#server.on('listening', this.#onListening);
  }

  get listening(): boolean {
    return this.#server.listening;
  }

  /** Requests that were begun and not answered to the end. */
  get inFlight(): number {
    return this.#responses.size;
  }

  /** `undefined` for a Unix socket, or while it does not listen. */
  get bound(): Bound | undefined {
    const bound = this.#server.address();
    return typeof bound === 'object' && bound !== null ? bound : undefined;
  }

  /** Resolves when it listens; perhaps never. */
  opened(): Promise<void> {
    return this.listening ? Promise.resolve() : new Promise(resolve => this.#whenListening.push(resolve));
  }

  /** From now on each response says `Connection: close`: its caller's next request goes elsewhere. */
  leave(): void {
    this.#state = 'leaving';
    this.#responses.forEach(dismiss);
  }

  /**
   * Stops accepting, closes what is idle, waits until all requests are answered, at most `drainMs`, and cuts the rest.
   * Returns how many requests were cut.
   */
  async drain(drainMs: number): Promise<number> {
    const { runtime } = this.#plan;
    const endsAt = runtime.now() + drainMs;
    const isClosed = this.#close();
    while (!(await within(runtime, Math.min(SWEEP_MS, endsAt - runtime.now()), () => isClosed))) {
      if (runtime.now() >= endsAt) return this.#cut(isClosed);
      this.#sweep();
    }
    return 0;
  }

  /** Takes all listeners back. */
  release(): void {
    this.#server.off('request', this.#onRequest);
    this.#server.off(this.#connectionEvent, this.#onConnection);
    this.#server.off('close', this.#onClose);
    this.#server.off('error', this.#onError);
    this.#server.off('listening', this.#onListening);
  }

  #close(): Promise<void> {
    this.#state = 'draining';
    const closed = new Promise<void>(resolve => (this.#whenClosed = resolve));
    // Closed by somebody else: that 'close' has come already if nothing is in flight, and comes with the last one if not.
    if (!this.listening && this.#responses.size === 0) this.#whenClosed?.();
    if (this.listening) this.#server.close();
    this.#sweep();
    return closed;
  }

  #sweep(): void {
    this.#server.closeIdleConnections();
    const before = this.#plan.runtime.now() - UNUSED_MS;
    for (const [socket, { at, bytesRead }] of this.#sockets)
      if (at <= before && socket.bytesRead === bytesRead) socket.destroy();
  }

  async #cut(isClosed: Promise<void>): Promise<number> {
    const cut = this.#responses.size;
    this.#server.closeAllConnections();
    // Upgraded ones (WebSockets) are no longer the server's.
    for (const socket of this.#sockets.keys()) socket.destroy();
    await within(this.#plan.runtime, LAST_MS, () => isClosed);
    return cut;
  }

  readonly #onRequest = (_request: IncomingMessage, response: ServerResponse): void => {
    this.#responses.add(response);
    response.once('close', () => this.#responses.delete(response));
    if (this.#state !== 'open') dismiss(response);
  };

  readonly #onConnection = (socket: Socket): void => {
    this.#sockets.set(socket, { at: this.#plan.runtime.now(), bytesRead: socket.bytesRead });
    socket.once('close', () => this.#sockets.delete(socket));
  };

  readonly #onListening = (): void => {
    this.#server.off('error', this.#onError);
    this.#server.off('listening', this.#onListening);
    for (const tell of this.#whenListening.splice(0)) tell();
  };

  readonly #onError = (error: unknown): void => this.#plan.failed(error);

  readonly #onClose = (): void => {
    this.#whenClosed?.();
    if (this.#state !== 'draining') this.#plan.closed();
  };
}

/** HTTP/1 only: HTTP/2 has no such header. */
const dismiss = (response: ServerResponse): void => {
  if (!response.headersSent && response.req.httpVersionMajor < 2) response.setHeader('connection', 'close');
};
