import type { Client, Dispatcher } from 'undici';
import type { Cancellation } from '../../core/cancellation.js';
import type { Endpoint } from '../../core/endpoint.js';
import type { OutboundRequest } from '../../core/transport.js';
import type { Connections, Traveller } from './connections.js';
import { IncomingBody, type BodySource } from './incoming-body.js';
import type { Destination, Outgoing } from './outgoing.js';
import { ReceivedResponse } from './received-response.js';

/** What the requests to one instance have in common. */
export interface Line extends Destination {
  readonly endpoint: Endpoint;
  readonly connections: Connections;
  /** What is handed out instead of an answer that may be a redirect. */
  readonly redirect: (response: Response, sent: Sent) => Promise<Response>;
}

/** A request on its way. */
export interface Sent {
  readonly line: Line;
  readonly request: OutboundRequest;
  readonly outgoing: Outgoing;
  readonly cancellation: Cancellation | undefined;
}

/** What fetch rejects with when it was not the caller's fault. */
export const failedFetch = (cause: unknown): TypeError => new TypeError('fetch failed', { cause });

type Handler = Dispatcher.DispatchHandler;

/** No body follows, whatever the headers say. */
const BODILESS: ReadonlySet<number> = new Set([101, 103, 204, 205, 304]);
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * One request and its answer, on one connection: what undici calls a handler, of the raw kind, which costs nothing for what
 * nobody asks for. Ends once for who waits for the answer, and once for the connection.
 */
export class Exchange implements Traveller, BodySource, Handler {
  next: Traveller | undefined = undefined;
  previous: Traveller | undefined = undefined;
  waits = false;
  readonly #sent: Sent;
  #client: Client | undefined = undefined;
  #abort: ((reason?: Error) => void) | undefined = undefined;
  #resume: (() => void) | undefined = undefined;
  #resolve: ((response: Response | Promise<Response>) => void) | undefined = undefined;
  #reject: ((error: unknown) => void) | undefined = undefined;
  #body: IncomingBody | undefined = undefined;
  /** Given up: whatever comes now is nobody's. */
  #over = false;

  constructor(sent: Sent) {
    this.#sent = sent;
  }

  /** Resolves at the headers. */
  start(): Promise<Response> {
    const answered = new Promise<Response>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#sent.cancellation?.tellOnCancel(this);
    if (!this.#over) this.#sent.line.connections.carry(this);
    return answered;
  }

  go(client: Client): void {
    this.#client = client;
    client.dispatch(this.#sent.outgoing as never, this);
  }

  fail(error: unknown): void {
    this.#fail(error);
  }

  onConnect(abort: (reason?: Error) => void): void {
    if (this.#over) abort();
    else this.#abort = abort;
  }

  // eslint-disable-next-line max-params -- undici's signature
  onHeaders(status: number, raw: Buffer[], resume: () => void, statusText: string): boolean {
    // Something provisional: the answer is yet to come.
    if (status < 200 || this.#over) return true;
    const { line, outgoing } = this.#sent;
    const { path, method } = outgoing;
    this.#resume = resume;
    if (method !== 'HEAD' && (status === 200 || !BODILESS.has(status))) this.#body = new IncomingBody(this);
    const response = new ReceivedResponse({ status, statusText, raw, origin: line.origin, path }, this.#body);
    const redirects = status >= 300 && REDIRECTS.has(status);
    this.#resolve?.(redirects ? line.redirect(response, this.#sent) : response);
    this.#resolve = this.#reject = undefined;
    return true;
  }

  onData(chunk: Buffer): boolean {
    return this.#body === undefined || this.#body.push(chunk);
  }

  onComplete(): void {
    const client = this.#client!;
    const body = this.#body;
    this.#end();
    // First, so that who reads the end and asks again finds it free.
    this.#sent.line.connections.free(client);
    body?.end();
  }

  onError(error: unknown): void {
    const client = this.#client;
    this.#fail(error);
    if (client !== undefined) this.#sent.line.connections.broken(client);
  }

  resume(): void {
    this.#resume?.();
  }

  abandon(reason: unknown): void {
    this.#giveUp(reason);
  }

  /** The caller aborted, its time is up, or the client closed: who waits is told why, unchanged. */
  cancelled(reason: unknown): void {
    const body = this.#body;
    const reject = this.#reject;
    this.#sent.line.connections.withdraw(this);
    this.#giveUp(reason);
    reject?.(reason);
    body?.abort(reason);
  }

  /** Nothing can be told to a server by HTTP/1.1 but by the end of the connection. */
  #giveUp(reason: unknown): void {
    if (this.#over) return;
    const abort = this.#abort;
    const client = this.#client;
    this.#over = true;
    this.#end(reason);
    // onError brings the connection back; without a socket yet, onConnect will.
    this.#client = client;
    abort?.();
  }

  #fail(error: unknown): void {
    const body = this.#body;
    const reject = this.#reject;
    this.#end(error);
    reject?.(failedFetch(error));
    body?.fail(new TypeError('terminated', { cause: error }));
  }

  /** Holds nothing more: a response may live for long. */
  #end(reason?: unknown): void {
    this.#sent.outgoing.cancel?.(reason);
    this.#sent.cancellation?.offCancel(this);
    this.#abort = this.#resume = this.#resolve = this.#reject = this.#body = this.#client = undefined;
  }
}
