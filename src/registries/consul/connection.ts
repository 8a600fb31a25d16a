/**
 * The conversation with one Consul agent through the `consul` package: its transport, not its methods. Those drop
 * fields (weights), and its watch neither slows down nor forgets a stale index. Every request has a time limit,
 * can be aborted, and is answered once: by a whole response or by an error.
 */
import { EventEmitter } from 'node:events';
import { describe, FairleadError } from '../../core/errors.js';
import type { Runtime } from '../../core/runtime.js';
import type { Settings } from './options.js';
import { answerOf, inheritedQuery, newClient, responseOf, type RawClient } from './peer.js';
import { guard, metIdleSocketsEnd } from './guard.js';

export interface Ask {
  readonly method: 'GET' | 'PUT';
  /** From `/v1` on, escaped. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[]>> | undefined;
  readonly body?: object | undefined;
  readonly timeoutMs: number;
  readonly runtime: Runtime;
  readonly signal?: AbortSignal | undefined;
  /** Is sent even after `close()`: the removal of what was written. */
  readonly farewell?: boolean | undefined;
}

/** A response with any status; `body` is decoded JSON or text. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: unknown;
}

export class Connection {
  readonly #settings: Settings;
  readonly #load: () => Promise<unknown>;
  readonly #cancels = new Set<(reason: unknown) => void>();
  #client: Promise<RawClient> | undefined;
  /** Taken out of everything that is said. */
  #token: string | undefined;
  #holders = 0;
  #closed = false;

  /** @param load finds the `consul` package */
  constructor(settings: Settings, load: () => Promise<unknown> = () => import('consul')) {
    this.#settings = settings;
    this.#load = load;
    this.#token = settings.token;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get name(): string {
    return this.#settings.client === undefined ? `consul at ${this.#settings.url}` : 'consul';
  }

  /** Keeps idle sockets until the returned function was called by all who hold. */
  hold(): () => void {
    let held = true;
    this.#holders += 1;
    return () => {
      if (!held) return;
      held = false;
      this.#holders -= 1;
      if (this.#holders === 0) this.disconnect();
    };
  }

  /** Rejects with REGISTRY_UNAVAILABLE when no whole response came, or with the signal's reason. */
  async ask(ask: Ask): Promise<Answer> {
    ask.signal?.throwIfAborted();
    this.refuseWhenClosed(ask);
    const release = this.hold();
    try {
      const client = await (this.#client ??= this.#connect());
      ask.signal?.throwIfAborted();
      this.refuseWhenClosed(ask);
      return await this.#send(client, ask);
    } finally {
      release();
    }
  }

  /** An error for an answer that is not what was asked for. The server's words, cut and without the token. */
  refusal(ask: Pick<Ask, 'method' | 'path'>, answer: Answer): FairleadError {
    const words = this.#clean(typeof answer.body === 'string' ? answer.body : '');
    const said = words === '' ? '' : `: ${words}`;
    return this.#unavailable(`${ask.method} ${ask.path} was answered ${answer.status}${said}`);
  }

  refuseWhenClosed({ farewell = false }: Pick<Ask, 'farewell'> = {}): void {
    if (this.#closed && !farewell) throw this.#unavailable('the registry is closed');
  }

  /** Ends all requests at once but those that say farewell; later ones are refused. */
  close(): void {
    this.#closed = true;
    const reason = this.#unavailable('the registry was closed');
    for (const cancel of this.#cancels) cancel(reason);
  }

  /** Closes all sockets, whoever still holds. */
  disconnect(): void {
    const client = this.#client;
    this.#client = undefined;
    // Of a client or an agent that is the caller's, the sockets are too.
    if (this.#settings.client !== undefined || this.#settings.agent !== undefined) return;
    client?.then(
      made => made.destroy?.(),
      () => undefined,
    );
  }

  #send(client: RawClient, ask: Ask): Promise<Answer> {
    const { runtime, signal, timeoutMs } = ask;
    return new Promise((resolve, reject) => {
      const context = new EventEmitter();
      const cancel = (reason: unknown): void => {
        done();
        reject(reason);
        context.emit('cancel');
      };
      const abort = (): void => cancel(signal?.reason);
      const late = (): void =>
        cancel(this.#unavailable(`${ask.method} ${ask.path} had no answer within ${timeoutMs} ms`));
      const stopTimer = runtime.after(timeoutMs, late);
      const done = (): void => {
        stopTimer();
        signal?.removeEventListener('abort', abort);
        this.#cancels.delete(cancel);
      };
      signal?.addEventListener('abort', abort, { once: true });
      if (ask.farewell !== true) this.#cancels.add(cancel);
      this.#transmit(client, ask, context)
        .then(answerOf, (error: unknown) => responseOf(error) ?? Promise.reject(this.#failure(ask, error)))
        .finally(done)
        .then(resolve, reject);
    });
  }

  async #transmit(client: RawClient, ask: Ask, ctx: EventEmitter): Promise<unknown> {
    const defaults = client._defaults ?? {};
    if (typeof defaults['token'] === 'string') this.#token ??= defaults['token'];
    const draft = (): object => ({
      path: ask.path.replace(/^\/v1/, ''),
      query: { ...inheritedQuery(defaults, ask), ...ask.query },
      headers: this.#token === undefined ? {} : { 'x-consul-token': this.#token },
      ...(ask.body === undefined ? {} : { type: 'json', body: ask.body }),
      exts: { onRequest: guard },
      ctx,
    });
    const send = (): Promise<unknown> => (ask.method === 'GET' ? client._get(draft()) : client._put(draft()));
    return send().catch((error: unknown) => {
      // A socket that Consul closed while it lay idle says nothing about now. But a query that was held when its
      // socket broke must not be held again: see watch.ts.
      if (!metIdleSocketsEnd(error) || ask.query?.['index'] !== undefined) throw error;
      return send();
    });
  }

  async #connect(): Promise<RawClient> {
    const { client, url, agent } = this.#settings;
    if (client !== undefined) return client as unknown as RawClient;
    try {
      return await newClient(this.#load, { baseUrl: `${url}/v1`, ...(agent === undefined ? {} : { agent }) });
    } catch (error) {
      // A later use looks again: who installs the package need not restart.
      this.#client = undefined;
      throw error;
    }
  }

  #failure(ask: Ask, error: unknown): FairleadError {
    const path = `${ask.method} ${ask.path}`;
    // The parser's own message quotes the body.
    if ((error as { isCodec?: unknown } | null)?.isCodec === true)
      return this.#unavailable(`${path} was answered with a body that is not JSON`);
    const { code, syscall } = (error ?? {}) as { code?: unknown; syscall?: unknown };
    const words = this.#clean(describe(error)).replace(/^consul: /, '');
    const named = typeof code === 'string' && !words.includes(code) ? `${code} ${words}` : words;
    // The package's own errors carry the request, and it the token; those of the system carry no more than addresses.
    return this.#unavailable(`${path} failed: ${named}`, syscall === undefined ? undefined : error);
  }

  #unavailable(what: string, cause?: unknown): FairleadError {
    return new FairleadError('REGISTRY_UNAVAILABLE', `${this.name}: ${what}`, { cause });
  }

  #clean(words: string): string {
    const safe = this.#token === undefined ? words : words.replaceAll(this.#token, '***');
    const line = safe.replace(/\s+/g, ' ').trim();
    return line.length > 200 ? `${line.slice(0, 200)}…` : line;
  }
}
