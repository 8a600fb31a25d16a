import { FairleadError, isFairleadError } from '../core/errors.js';
import { toInstance, type InstanceInput, type InstancePatch, type ServiceInstance } from '../core/instance.js';
import { pause } from '../core/pause.js';
import type { RegisterOptions, Registrar, Registration } from '../core/registry.js';
import type { Runtime } from '../core/runtime.js';
import { fullJitter } from '../machines/backoff.js';
import { REGISTRY_BACKOFF } from '../machines/registry-backoff.js';
import type { LifecycleHappening } from '../core/lifecycle-events.js';
import { within } from './within.js';

export interface EnrolmentPlan {
  readonly registry: Registrar;
  readonly registration: RegisterOptions;
  readonly runtime: Runtime;
  readonly emit: (happening: LifecycleHappening) => void;
}

/** First word of a registration that is not there yet; then twice as late each time. */
const LATE_MS = 5_000;
/** A registry that does not answer ends the entry by its TTL. */
const DEREGISTER_MS = 5_000;
const PATCHABLE: readonly string[] = ['weight', 'zone', 'version', 'tags', 'metadata', 'status'];

/** Ids that live services of this process hold, by registry: two with one id would take the entry from each other. */
const claims = new WeakMap<Registrar, Set<string>>();

/** One service's place in the registry: made, kept up to date, given up. */
export class Enrolment {
  readonly #plan: EnrolmentPlan;
  readonly #stop = new AbortController();
  #input: InstanceInput | undefined;
  #registration: Registration | undefined;
  /** The registrar was asked: an entry may be there. */
  #asked = false;
  #patch: InstancePatch = {};
  #work: Promise<unknown> = Promise.resolve();
  #unclaim: () => void = () => undefined;

  constructor(plan: EnrolmentPlan) {
    this.#plan = plan;
  }

  get instance(): ServiceInstance | undefined {
    return this.#input && toInstance(this.#input);
  }

  get state(): Registration['state'] | 'none' {
    return this.#registration?.state ?? 'none';
  }

  get mayBeListed(): boolean {
    return this.#asked;
  }

  /**
   * Resolves when the entry is there. Goes on trying while the registry is down or refuses (rights may come); rejects for
   * what no try can mend: a bad instance, a missing package, an id that this process holds already.
   */
  async begin(input: InstanceInput): Promise<void> {
    this.#input = { ...input, ...this.#patch, id: toInstance(input).id };
    this.#claim(toInstance(this.#input));
    const quiet = this.#tellWhenLate(LATE_MS, LATE_MS);
    this.#work = this.#enter().finally(quiet);
    await this.#work;
  }

  /** Before the entry is there, the patch becomes part of it. */
  async update(patch: InstancePatch): Promise<void> {
    const unknown = Object.keys(patch ?? {}).find(key => !PATCHABLE.includes(key));
    if (typeof patch !== 'object' || patch === null || unknown !== undefined)
      throw new TypeError(`update: expected some of ${PATCHABLE.join(', ')}, got ${unknown ?? typeof patch}`);
    toInstance({ ...(this.#input ?? { service: 's', address: 'a', port: 1 }), ...patch });
    if (this.#registration === undefined) this.#patch = { ...this.#patch, ...patch };
    await this.#registration?.update(patch).catch((error: unknown) => {
      // What did not get through now does with a later heartbeat.
      if (isFairleadError(error, 'REGISTRY_UNAVAILABLE')) this.#adopt(patch);
      throw error;
    });
    this.#adopt(patch);
  }

  /** Takes the entry out, or ends the tries to put it there. Never rejects, and takes 5 s at most. */
  async end(): Promise<void> {
    const { runtime, emit } = this.#plan;
    this.#stop.abort(new FairleadError('REGISTRATION_FAILED', 'the service is shutting down'));
    this.#unclaim();
    const leave = async (): Promise<void> => {
      await this.#work.catch(() => undefined);
      await this.#registration?.deregister();
    };
    try {
      if (await within(runtime, DEREGISTER_MS, leave)) return;
      const error = new FairleadError(
        'REGISTRY_UNAVAILABLE',
        `${this.#name}: not taken out of the registry within ${DEREGISTER_MS} ms; its entry ends with its TTL`,
      );
      emit({ type: 'error', phase: 'deregister', error });
    } catch (error) {
      emit({ type: 'error', phase: 'deregister', error });
    }
  }

  #adopt(patch: InstancePatch): void {
    if (this.#input !== undefined) this.#input = { ...this.#input, ...patch };
  }

  get #name(): string {
    return `${this.#input?.service}: ${this.#input?.id}`;
  }

  async #enter(): Promise<void> {
    const { registry, registration, runtime, emit } = this.#plan;
    const { signal } = this.#stop;
    for (let failures = 1; this.#registration === undefined; failures += 1) {
      signal.throwIfAborted();
      this.#asked = true;
      // What `update` brings from here on is written when the entry is there.
      const input = { ...this.#input!, ...this.#patch };
      this.#patch = {};
      try {
        this.#registration = await registry.register(input, { ...registration, signal });
      } catch (error) {
        if (signal.aborted || isFinal(error)) throw error;
        const retryInMs = fullJitter(REGISTRY_BACKOFF, failures, runtime.random());
        emit({ type: 'error', phase: 'register', error, retryInMs });
        await pause(runtime, retryInMs, signal);
      }
    }
    this.#follow(this.#registration);
    if (signal.aborted) return;
    if (Object.keys(this.#patch).length > 0) await this.#catchUp(this.#registration);
    const { id, address, port } = this.instance!;
    emit({ type: 'registration.made', id, address, port });
  }

  async #catchUp(registration: Registration): Promise<void> {
    try {
      await registration.update(this.#patch);
    } catch (error) {
      this.#plan.emit({ type: 'error', phase: 'register', error });
    }
  }

  #follow(registration: Registration): void {
    const { emit } = this.#plan;
    const { id } = registration;
    registration.on('lost', cause => emit({ type: 'registration.lost', id, cause }));
    registration.on('restored', () => emit({ type: 'registration.restored', id }));
    registration.on('error', error => {
      const phase = this.#stop.signal.aborted ? 'deregister' : 'register';
      emit({ type: 'error', phase, error });
    });
  }

  #claim({ service, id }: ServiceInstance): void {
    const { registry } = this.#plan;
    const held = claims.get(registry) ?? new Set();
    claims.set(registry, held);
    const key = `${service}\n${id}`;
    if (held.has(key)) {
      const message = `${this.#name}: this process has registered that id already; give each service an id of its own`;
      throw new FairleadError('REGISTRATION_FAILED', message, { service });
    }
    held.add(key);
    this.#unclaim = () => void held.delete(key);
  }

  #tellWhenLate(ms: number, waitedMs: number): () => void {
    const { runtime, emit } = this.#plan;
    let disarm = runtime.after(ms, () => {
      emit({ type: 'registration.late', waitedMs });
      disarm = this.#tellWhenLate(waitedMs, waitedMs * 2);
    });
    return () => disarm();
  }
}

const isFinal = (error: unknown): boolean =>
  error instanceof TypeError || error instanceof RangeError || isFairleadError(error, 'MISSING_PEER');
