/** What a dispatcher hands a request over with: of undici 6 and 7 (`onConnect`), and of later ones. */
interface DispatchHandler {
  onConnect?: (abort: (reason: unknown) => void, context: unknown) => void;
  onRequestStart?: (controller: { abort(reason: unknown): void }, context: unknown) => void;
}

interface Dispatcher {
  readonly isMockActive?: boolean;
  dispatch(options: unknown, handler: DispatchHandler): boolean;
}

const hosts = globalThis as unknown as Record<symbol, Dispatcher | undefined>;
/** Where undici, the one in Node too, keeps the dispatcher of all: the number is that of the handlers that it takes. */
const FIRST = Symbol.for('undici.globalDispatcher.1');
const SECOND = Symbol.for('undici.globalDispatcher.2');

/**
 * Ends a request of Node's fetch without an AbortSignal, up to its headers. Of a signal, fetch makes weak references and a
 * finalizer, which cost a tenth of the whole request; a dispatcher (https://nodejs.org/api/globals.html#custom-dispatcher)
 * is told by itself how to end what it sends. One for each attempt; passes the request on to the dispatcher of all.
 */
export class FetchAbort implements Dispatcher {
  /** There is a dispatcher of all: none before Node's first fetch, nor with an undici that keeps it elsewhere. */
  static get isPossible(): boolean {
    return hosts[FIRST] !== undefined;
  }

  #abort: ((reason: unknown) => void) | undefined = undefined;
  #cancelled = false;
  #reason: unknown = undefined;
  #dispatched = false;

  /** False where this fetch knows of no dispatchers, or had nothing to send: nothing can be ended by this then. */
  get dispatched(): boolean {
    return this.#dispatched;
  }

  get isMockActive(): boolean {
    return hosts[FIRST]?.isMockActive === true;
  }

  dispatch(options: unknown, handler: DispatchHandler): boolean {
    const { onConnect, onRequestStart } = handler;
    this.#dispatched = true;
    if (onRequestStart === undefined)
      handler.onConnect = (abort, context) => {
        onConnect?.call(handler, abort, context);
        this.#started(abort);
      };
    else
      handler.onRequestStart = (controller, context) => {
        onRequestStart.call(handler, controller, context);
        this.#started(reason => controller.abort(reason));
      };
    const all = (onRequestStart && hosts[SECOND]) ?? hosts[FIRST]!;
    return all.dispatch(options, handler);
  }

  #started(abort: (reason: unknown) => void): void {
    // Anew for each redirect that is followed.
    this.#abort = abort;
    if (this.#cancelled) abort(this.#reason);
  }

  cancelled(reason: unknown): void {
    this.#cancelled = true;
    this.#reason = reason;
    this.#abort?.(reason);
  }
}
