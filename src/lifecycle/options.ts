import type { Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { InstanceInput } from '../core/instance.js';
import type { Registrar } from '../core/registry.js';
import type { Runtime } from '../core/runtime.js';
import type { LifecycleEvent } from '../core/lifecycle-events.js';
import type { ReleaseHook } from './release.js';

export type ServiceServer = HttpServer | HttpsServer;

/** What `register` of this registry takes besides the instance; the signal is ours. */
export type RegistrationOptions<R extends Registrar> = R extends {
  register(instance: InstanceInput, options?: infer O): unknown;
}
  ? Omit<NonNullable<O>, 'signal'>
  : never;

/**
 * How one instance of a service lives: how it is listed, when it is ready, how it leaves. `server` or `port` is needed.
 * Total time from the first signal to the end: up to `propagationMs` + `drainMs` + `releaseTimeoutMs` for each hook, and
 * 5 s where the registry does not answer. Whoever stops the process (Kubernetes: `terminationGracePeriodSeconds`) has to
 * leave it that long.
 */
export interface RegisterServiceOptions<R extends Registrar = Registrar> extends Omit<
  InstanceInput,
  'address' | 'port' | 'status' | 'incarnation'
> {
  /** Where it is registered: `consulRegistry()`, `memoryRegistry()` … It is not closed by `stop()`. */
  readonly registry: R;
  /** A server of node:http or node:https (Express: what `listen` returns; Fastify: `app.server`) that listens, or will. */
  readonly server?: ServiceServer | undefined;
  /** 1–65535: what callers connect to. @default the port that `server` listens on */
  readonly port?: number | undefined;
  /**
   * What callers connect to: a host name, or an IP address.
   * @default `POD_IP`, `MY_POD_IP`, `CF_INSTANCE_INTERNAL_IP` or `FLY_PRIVATE_IP` of the environment, else the address that
   * `server` is bound to, if to one, else the machine's first address that is neither internal nor link-local, IPv4 first
   */
  readonly address?: string | undefined;
  /** @default 'https' for a server of node:https, else 'http' */
  readonly protocol?: string | undefined;
  /** More for the registry's `register`, such as `{ ttlMs: 10_000 }`, or `{ check: { http: … } }` for Consul. @default none */
  readonly registration?: RegistrationOptions<R> | undefined;
  /**
   * Awaited before the instance is registered: connections made, caches warm. When it throws, the instance is not
   * registered. Its signal aborts at `stop()`. @default ready as soon as the server listens
   */
  readonly ready?: ((context: { readonly signal: AbortSignal }) => unknown) | undefined;
  /**
   * When the server does not listen, or `ready` has not ended, after so many ms, `ready()` of the handle rejects and an
   * `error` event says which; if it comes about later, the instance is registered all the same. > 0. @default 60_000
   */
  readonly readyTimeoutMs?: number | undefined;
  /**
   * How long the server goes on serving after the entry was removed, in ms, >= 0: until each caller has heard of it. Its
   * responses say `Connection: close` meanwhile. @default 5_000, what go-zero waits
   */
  readonly propagationMs?: number | undefined;
  /** How long requests in flight may take after that, in ms, >= 0; the rest is cut. @default 30_000 */
  readonly drainMs?: number | undefined;
  /** Run at the end, the last one first: close pools, flush traces. @default none */
  readonly onRelease?: ReleaseHook | readonly ReleaseHook[] | undefined;
  /** How long each release hook may take, in ms, > 0. @default 10_000 */
  readonly releaseTimeoutMs?: number | undefined;
  /** Signals that stop the service; another one meanwhile ends the process at once. `false`: none. @default ['SIGTERM', 'SIGINT'] */
  readonly signals?: readonly NodeJS.Signals[] | false | undefined;
  /**
   * Whether the process ends after a signal has stopped the service, once everything that it registered has stopped: with
   * 0, or with 1 when a release hook or the start failed: by itself if nothing else is under way, else by `process.exit` a
   * second later. `stop()` called by hand never ends it. A start that fails sets `process.exitCode` to 1, too. With `false`,
   * or without signals, neither happens.
   * @default true, unless others listen to that signal too: then only `process.exitCode` is set
   */
  readonly exit?: boolean | undefined;
  /** Is told all events. @default none: errors become warnings of the process, unless somebody listens with `on('error')` */
  readonly onEvent?: ((event: LifecycleEvent) => void) | undefined;
  /** @default the system's clock */
  readonly runtime?: Runtime | undefined;
}
