/** One endpoint of etcd: its client, the token that it gave, and calls that are bounded and can be aborted. */
import { describe, FairleadError } from '../../core/errors.js';
import { bounded, type Bounds } from './bounded.js';
import { GrpcFailure, isTokenRefused, statusOf } from './failure.js';
import type { Settings } from './options.js';
import { newClient, type CallOptions, type RawEtcd, type Stream } from './peer.js';
import { Trip } from './trip.js';

export interface Ask<T> extends Bounds {
  /** For messages, such as `a read`. */
  readonly what: string;
  readonly send: (client: RawEtcd, options: CallOptions) => Promise<T>;
}

export interface OpenStream<T> {
  readonly stream: Stream<T>;
  /** Makes an error of what the stream emitted. */
  readonly failure: (error: unknown) => FairleadError;
}

export class Member {
  readonly name: string;
  readonly #endpoint: string;
  readonly #settings: Settings;
  readonly #load: () => Promise<unknown>;
  #client: Promise<RawEtcd> | undefined;
  #token: Promise<string> | undefined;

  constructor(endpoint: string, settings: Settings, load: () => Promise<unknown>) {
    this.#endpoint = endpoint;
    this.#settings = settings;
    this.#load = load;
    this.name = settings.client === undefined ? `etcd at ${endpoint.replace(/^https?:\/\//, '')}` : 'etcd';
  }

  /** Rejects with REGISTRY_UNAVAILABLE, whose cause has the status if there was one, or with the reason of an abort. */
  ask<T>(ask: Ask<T>): Promise<T> {
    return bounded(ask, this.#late(ask), signal => this.#attempt(ask, signal));
  }

  /** A stream that ends when `signal` aborts. Not bounded: what is to come on it is the caller's to know. */
  async open<T>({
    what,
    send,
    signal,
  }: {
    readonly what: string;
    readonly send: (client: RawEtcd, options: CallOptions) => Promise<Stream<T>>;
    readonly signal: AbortSignal;
  }): Promise<OpenStream<T>> {
    const client = await this.#connected();
    const token = await this.#loggedIn(client);
    signal.throwIfAborted();
    const trip = new Trip(signal, token);
    const stream = await send(client, trip.options);
    return { stream, failure: error => this.#failure(what, error, trip) };
  }

  failed(what: string): FairleadError {
    return new FairleadError('REGISTRY_UNAVAILABLE', `${this.name}: ${what}`);
  }

  disconnect(): void {
    const client = this.#client;
    this.#client = undefined;
    this.#token = undefined;
    if (this.#settings.client !== undefined) return;
    client?.then(
      made => made.close(),
      () => undefined,
    );
  }

  async #attempt<T>({ what, send }: Ask<T>, signal: AbortSignal): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      const client = await this.#connected();
      const token = await this.#loggedIn(client);
      const used = this.#token;
      signal.throwIfAborted();
      const trip = new Trip(signal, token);
      try {
        return await send(client, trip.options);
      } catch (error) {
        const failure = this.#failure(what, error, trip);
        if (token === undefined || tries > 1 || !(isTokenRefused(failure) || isAnonymous(token, failure)))
          throw failure;
        if (this.#token === used) this.#token = undefined;
      }
    }
  }

  async #connected(): Promise<RawEtcd> {
    const { client } = this.#settings;
    if (client !== undefined) return client as unknown as RawEtcd;
    try {
      return await (this.#client ??= newClient(this.#load, this.#endpoint, this.#settings));
    } catch (error) {
      // A later use looks again: who installs the package need not restart.
      this.#client = undefined;
      throw error;
    }
  }

  /** The token; '' where nobody has to log in, undefined where that is not our business. */
  async #loggedIn(client: RawEtcd): Promise<string | undefined> {
    if (this.#settings.user === undefined) return undefined;
    const token = (this.#token ??= this.#logIn(client));
    try {
      return await token;
    } catch (error) {
      if (this.#token === token) this.#token = undefined;
      throw error;
    }
  }

  /** Bounded by itself: others wait for it too. */
  #logIn(client: RawEtcd): Promise<string> {
    const { user, runtime, requestTimeoutMs: timeoutMs } = this.#settings;
    const ask = { what: 'to log in', timeoutMs, runtime };
    return bounded(ask, this.#late(ask), async signal => {
      const trip = new Trip(signal, undefined);
      try {
        return (await client.auth.authenticate(user!, trip.options)).token;
      } catch (error) {
        // As etcd's own clients do: a password may be configured before it is asked for.
        if (trip.status?.details.includes('authentication is not enabled') === true) return '';
        throw this.#failure(ask.what, error, trip);
      }
    });
  }

  #late({ what, timeoutMs }: { readonly what: string; readonly timeoutMs: number }): () => FairleadError {
    return () => this.failed(`${what} had no answer within ${Math.round(timeoutMs)} ms`);
  }

  #failure(what: string, error: unknown, { status }: Trip): FairleadError {
    const cause =
      status === undefined || status.code === 0
        ? undefined
        : new GrpcFailure({ code: status.code, details: this.#clean(status.details) });
    const words = cause?.message ?? this.#clean(describe(error));
    return new FairleadError('REGISTRY_UNAVAILABLE', `${this.name}: ${what} failed: ${words}`, { cause });
  }

  #clean(words: string): string {
    const password = this.#settings.user?.password;
    const safe = password === undefined ? words : words.replaceAll(password, '***');
    const line = safe.replace(/\s+/g, ' ').trim();
    return line.length > 200 ? `${line.slice(0, 200)}…` : line;
  }
}

/** Nobody had to log in when it was asked. Since then somebody has to, and is taken for who its certificate names. */
const isAnonymous = (token: string, failure: FairleadError): boolean =>
  token === '' && statusOf(failure) === 'PERMISSION_DENIED';
