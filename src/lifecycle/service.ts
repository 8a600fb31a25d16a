import { describe, FairleadError } from '../core/errors.js';
import type { InstancePatch, ServiceInstance } from '../core/instance.js';
import { whereIs } from './address.js';
import { Door } from './door.js';
import { Enrolment } from './enrolment.js';
import type { LifecycleEventOf, LifecycleEventType, LifecyclePhase, ServiceState } from '../core/lifecycle-events.js';
import { LifecycleEvents } from './events.js';
import { healthHandler, type HealthHandler } from './health.js';
import type { Host } from './host.js';
import type { RegisteredService } from './registered-service.js';
import { ReleaseHooks, type ReleaseHook } from './release.js';
import type { Settings } from './settings.js';
import { deskOf } from './signals.js';
import { Readiness, warmUp } from './warm-up.js';

/**
 * One instance's life.
 *
 * ```
 *             the server listens, ready() has ended, the entry is there
 *      INIT ─────────────────────────────────────────────────────────────► READY
 *        └──── stop(), a signal, or the server was closed by others ─────────┤
 *                                                                            ▼
 *  TERMINATED ◄── hooks have run ── drained ── propagated ── entry out ── SHUTTING_DOWN
 * ```
 *
 * A start that failed stays in INIT: what becomes of it is the host's to decide.
 */
export class Service implements RegisteredService {
  readonly service: string;
  readonly health: HealthHandler;
  readonly #settings: Settings;
  readonly #host: Host;
  readonly #events: LifecycleEvents;
  readonly #door: Door | undefined;
  readonly #enrolment: Enrolment;
  readonly #hooks: ReleaseHooks;
  readonly #readiness = new Readiness();
  readonly #abort = new AbortController();
  readonly #quitDesk: () => void;
  #state: ServiceState = 'INIT';
  #failed = false;
  /** `exitCode` is 1 because of us. */
  #blamed = false;
  #stopping: Promise<void> | undefined;

  constructor(settings: Settings, host: Host) {
    const { service, runtime, server, signals, exit } = settings;
    this.service = service;
    this.#settings = settings;
    this.#host = host;
    this.#events = new LifecycleEvents({ ...settings, warn: message => host.warn(message) });
    this.#enrolment = new Enrolment({ ...settings, emit: this.#events.emit });
    this.#hooks = new ReleaseHooks(settings.onRelease);
    this.health = healthHandler(service, () => this.#state);
    const stop = (): Promise<number> => this.stop().then(() => (this.#failed ? 1 : 0));
    this.#quitDesk = signals.length > 0 ? deskOf(host).add({ signals, exit, runtime, stop }) : () => undefined;
    const failed = (error: unknown): void => this.#cannotStart('server', 'the server cannot listen', error);
    this.#door = server && new Door({ server, runtime, failed, closed: () => this.#closedByOthers() });
    void this.#start();
  }

  get state(): ServiceState {
    return this.#state;
  }

  get instance(): ServiceInstance | undefined {
    return this.#enrolment.instance;
  }

  get registration(): RegisteredService['registration'] {
    return this.#enrolment.state;
  }

  get inFlight(): number {
    return this.#door?.inFlight ?? 0;
  }

  ready(): Promise<void> {
    return this.#readiness.wait(this.#settings.runtime);
  }

  async update(patch: InstancePatch): Promise<void> {
    if (this.#stopping !== undefined) throw this.#error('it is shutting down, and its entry is not updated any more');
    await this.#enrolment.update(patch);
  }

  on<T extends LifecycleEventType>(type: T, listener: (event: LifecycleEventOf<T>) => void): () => void {
    return this.#events.on(type, listener);
  }

  onRelease(hook: ReleaseHook): () => void {
    if (typeof hook !== 'function') throw new TypeError(`onRelease: expected a function, got ${typeof hook}`);
    return this.#hooks.add(hook);
  }

  stop(): Promise<void> {
    return (this.#stopping ??= this.#end());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #start(): Promise<void> {
    const { signal } = this.#abort;
    const late = (missing: string): void => this.#report('ready', this.#error(`it is not ready in time: ${missing}`));
    try {
      await warmUp({ ...this.#settings, listening: this.#door?.opened(), signal, late });
    } catch (error) {
      return this.#cannotStart('ready', 'ready() failed', error);
    }
    if (signal.aborted) return;
    try {
      const input = whereIs(this.#settings, this.#door?.bound, this.#host);
      await this.#enrolment.begin(input);
    } catch (error) {
      return this.#cannotStart('register', 'it cannot be registered', error);
    }
    if (this.#stopping === undefined) this.#isReady();
  }

  #isReady(): void {
    if (this.#blamed && this.#host.exitCode === 1) this.#host.exitCode = undefined;
    this.#failed = this.#blamed = false;
    this.#enter('READY');
    this.#readiness.resolve();
  }

  #cannotStart(phase: LifecyclePhase, what: string, cause: unknown): void {
    if (this.#stopping !== undefined) return;
    const { exit, signals } = this.#settings;
    this.#failed = true;
    // With no server to keep it alive the process may end now; nobody should take that for success.
    if (exit !== false && signals.length > 0 && !this.#host.exitCode) {
      this.#host.exitCode = 1;
      this.#blamed = true;
    }
    this.#report(phase, this.#error(`${what}: ${describe(cause)}`, cause));
  }

  #closedByOthers(): void {
    if (this.#stopping !== undefined) return;
    if (this.#state === 'INIT') this.#cannotStart('server', 'the server was closed', undefined);
    else this.#report('server', this.#error('the server was closed: it leaves the registry'));
    void this.stop();
  }

  #report(phase: LifecyclePhase, error: unknown): void {
    this.#events.emit({ type: 'error', phase, error });
    this.#readiness.reject(error);
  }

  #enter(state: ServiceState): void {
    const from = this.#state;
    this.#state = state;
    this.#events.emit({ type: 'state', state, from });
  }

  async #end(): Promise<void> {
    const { runtime, propagationMs, drainMs, releaseTimeoutMs: timeoutMs } = this.#settings;
    const from = this.#state;
    this.#state = 'SHUTTING_DOWN';
    this.#door?.leave();
    // `stop()` has to have its promise before a listener calls it again.
    await Promise.resolve();
    this.#events.emit({ type: 'state', state: this.#state, from });
    this.#abort.abort(this.#error('it was stopped'));
    this.#readiness.reject(this.#error('it was stopped before it was ready'));
    await this.#enrolment.end();
    // Where nobody can know it, or nobody answers, there is nothing to wait for.
    if (this.#enrolment.mayBeListed && this.#door?.listening !== false) await runtime.sleep(propagationMs);
    const startedAt = runtime.now();
    const cut = await this.#door?.drain(drainMs);
    if (cut !== undefined) this.#events.emit({ type: 'server.drained', durationMs: runtime.now() - startedAt, cut });
    const failed = (error: unknown): void => {
      this.#failed = true;
      this.#events.emit({ type: 'error', phase: 'release', error });
    };
    await this.#hooks.run({ timeoutMs, runtime, failed });
    this.#door?.release();
    this.#quitDesk();
    this.#enter('TERMINATED');
  }

  #error(what: string, cause?: unknown): FairleadError {
    const { service } = this;
    return new FairleadError('REGISTRATION_FAILED', `${service}: ${what}`, { service, cause });
  }
}
