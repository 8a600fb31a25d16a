/**
 * The conversation with Consul's agents through the `consul` package: its transport, not its methods. Those drop fields
 * (weights), and its watch neither slows down nor forgets a stale index. Every request has a time limit, can be aborted,
 * and is answered once: by a whole response or by an error.
 */
import { EventEmitter } from 'node:events';
import { isFairleadError, type FairleadError } from '../../core/errors.js';
import { isHeld, type Answer, type Ask } from './ask.js';
import { Clients } from './clients.js';
import { guard, metIdleSocketsEnd } from './guard.js';
import type { Settings } from './options.js';
import { answerOf, inheritedQuery, responseOf, type RawClient } from './peer.js';
import { Route } from './route.js';
import { Speech } from './speech.js';

/** Less is not enough for an agent that has to ask its leader. */
const MIN_TRY_MS = 1_000;

export class Connection {
  readonly #speech: Speech;
  readonly #clients: Clients;
  readonly #urls: readonly string[];
  readonly #reads: Route;
  readonly #ownClient: boolean;
  readonly #cancels = new Set<(reason: unknown) => void>();
  #holders = 0;
  #closed = false;

  /** @param load finds the `consul` package */
  constructor(settings: Settings, load: () => Promise<unknown> = () => import('consul')) {
    this.#ownClient = settings.client !== undefined;
    this.#clients = new Clients(settings, load);
    this.#urls = settings.urls;
    this.#reads = this.newRoute();
    this.#speech = new Speech(this.#ownClient ? [] : settings.urls, settings.token);
  }

  get closed(): boolean {
    return this.#closed;
  }

  get name(): string {
    return this.#speech.name;
  }

  /** @param urls some of the agents. @default all, the first one first */
  newRoute(urls = this.#urls): Route {
    return new Route(urls);
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

  /**
   * Asks one agent, and the next ones while none answers. Rejects with REGISTRY_UNAVAILABLE when no whole response came,
   * or with the signal's reason.
   */
  async ask(ask: Ask): Promise<Answer> {
    ask.signal?.throwIfAborted();
    this.refuseWhenClosed(ask);
    const release = this.hold();
    try {
      return await this.#askInTurn(ask, ask.route ?? this.#reads);
    } finally {
      release();
    }
  }

  refusal(ask: Pick<Ask, 'method' | 'path'>, answer: Answer): FairleadError {
    return this.#speech.refusal(ask, answer);
  }

  refuseWhenClosed({ farewell = false }: Pick<Ask, 'farewell'> = {}): void {
    if (this.#closed && !farewell) throw this.#speech.unavailable('the registry is closed');
  }

  /** Ends all requests at once but those that say farewell; later ones are refused. */
  close(): void {
    this.#closed = true;
    const reason = this.#speech.unavailable('the registry was closed');
    for (const cancel of this.#cancels) cancel(reason);
  }

  /** Closes all sockets, whoever still holds. */
  disconnect(): void {
    this.#clients.disconnect();
  }

  async #askInTurn(ask: Ask, route: Route): Promise<Answer> {
    // A held request says nothing about another agent's index: who reads on starts anew, there.
    const tries = isHeld(ask) ? 1 : route.length;
    const timeoutMs = Math.min(ask.timeoutMs, Math.max(MIN_TRY_MS, ask.timeoutMs / tries));
    const failures: unknown[] = [];
    for (let left = tries; left > 0; left -= 1) {
      const url = route.take();
      try {
        const answer = await this.#askOne({ ...ask, timeoutMs }, url);
        // An agent that lost its servers answers too. What is written is kept by the agent itself.
        const unwell = ask.method === 'GET' && answer.status >= 500;
        if (unwell) route.leave(url);
        if (!unwell || tries === 1) return answer;
        failures.push(this.refusal(ask, answer));
      } catch (error) {
        if (this.#closed || ask.signal?.aborted || !isFairleadError(error, 'REGISTRY_UNAVAILABLE')) throw error;
        route.leave(url);
        failures.push(error);
      }
    }
    throw this.#speech.together(failures);
  }

  async #askOne(ask: Ask, url: string): Promise<Answer> {
    const client = await this.#clients.of(url);
    ask.signal?.throwIfAborted();
    this.refuseWhenClosed(ask);
    const named = this.#ownClient ? undefined : url;
    return { ...(await this.#send(client, ask, named)), url: named };
  }

  #send(client: RawClient, ask: Ask, url: string | undefined): Promise<Answer> {
    const { runtime, signal, timeoutMs } = ask;
    return new Promise((resolve, reject) => {
      const context = new EventEmitter();
      const cancel = (reason: unknown): void => {
        done();
        reject(reason);
        context.emit('cancel');
      };
      const abort = (): void => cancel(signal?.reason);
      const late = `${ask.method} ${ask.path} had no answer within ${Math.round(timeoutMs)} ms`;
      const stopTimer = runtime.after(timeoutMs, () => cancel(this.#speech.unavailable(late, { url })));
      const done = (): void => {
        stopTimer();
        signal?.removeEventListener('abort', abort);
        this.#cancels.delete(cancel);
      };
      signal?.addEventListener('abort', abort, { once: true });
      if (ask.farewell !== true) this.#cancels.add(cancel);
      const failed = (error: unknown): Answer | Promise<Answer> =>
        responseOf(error) ?? Promise.reject(this.#speech.failure(ask, error, url));
      this.#transmit(client, ask, context).then(answerOf, failed).finally(done).then(resolve, reject);
    });
  }

  async #transmit(client: RawClient, ask: Ask, ctx: EventEmitter): Promise<unknown> {
    const defaults = client._defaults ?? {};
    const speech = this.#speech;
    if (typeof defaults['token'] === 'string') speech.token ??= defaults['token'];
    const draft = (): object => ({
      path: ask.path.replace(/^\/v1/, ''),
      query: { ...inheritedQuery(defaults, ask), ...ask.query },
      headers: speech.token === undefined ? {} : { 'x-consul-token': speech.token },
      ...(ask.body === undefined ? {} : { type: 'json', body: ask.body }),
      exts: { onRequest: guard },
      ctx,
    });
    const send = (): Promise<unknown> => (ask.method === 'GET' ? client._get(draft()) : client._put(draft()));
    return send().catch((error: unknown) => {
      // A socket that Consul closed while it lay idle says nothing about now. But a query that was held when its
      // socket broke must not be held again: see watch.ts.
      if (!metIdleSocketsEnd(error) || isHeld(ask)) throw error;
      return send();
    });
  }
}
