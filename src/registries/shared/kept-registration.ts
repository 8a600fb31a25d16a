import { pause } from '../../core/pause.js';
import { FairleadError, isFairleadError } from '../../core/errors.js';
import { toInstance, type InstanceInput, type InstancePatch } from '../../core/instance.js';
import type { Registration, RegistrationEvent } from '../../core/registry.js';
import type { Runtime } from '../../core/runtime.js';
import { fullJitter } from '../../machines/backoff.js';
import { REGISTRY_BACKOFF } from '../../machines/registry-backoff.js';
import { shown, unknownKey } from './checks.js';
import type { Entry } from './entry.js';
import { Standing } from './standing.js';

export interface RegistrationPlan {
  readonly entry: Entry;
  readonly input: InstanceInput;
  readonly ttlMs: number;
  /** The pause between pulses, and the longest one between tries: so it is back within its TTL. */
  readonly pulseMs: number;
  readonly runtime: Runtime;
  /** Called, perhaps twice, when nothing of it is under way any more. */
  ended(): void;
}

const PATCHABLE = { weight: true, zone: true, version: true, tags: true, metadata: true, status: true };

/** One entry, put there by `start()` and kept there until `deregister()`; see Standing for its states. */
export class KeptRegistration implements Registration {
  readonly id: string;
  readonly #plan: RegistrationPlan;
  readonly #standing: Standing;
  /** Ends waits, pulses and the first write. A later write is not cut short: it could arrive after the removal. */
  readonly #stop = new AbortController();
  #input: InstanceInput;
  /** An update has not reached the registry yet. */
  #unwritten = false;
  /** What is under its id, if anything, is not its own: yet, or any more. */
  #disowned = true;
  /** Writes, one after the other. Never rejects. */
  #turn: Promise<unknown> = Promise.resolve();
  #ending: Promise<void> | undefined;

  constructor(plan: RegistrationPlan) {
    this.id = toInstance(plan.input).id;
    this.#plan = plan;
    this.#input = { ...plan.input, id: this.id };
    this.#standing = new Standing(plan.runtime, plan.ttlMs, () =>
      this.#failed(`was not confirmed for ${plan.ttlMs} ms`),
    );
  }

  get state(): Registration['state'] {
    return this.#standing.state;
  }

  on(type: RegistrationEvent, listener: (cause?: unknown) => void): () => void {
    return this.#standing.on(type, listener);
  }

  /** Tries until the entry is there. Rejects when the registry refuses it, and with the reason of an abort. */
  async start(signal?: AbortSignal): Promise<void> {
    const abort = (): void => this.#stop.abort(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted) abort();
    try {
      await this.#firstWrite();
    } catch (error) {
      // A write that was cut short may have arrived and is removed; of a refused one nothing is there.
      if (!this.#stop.signal.aborted) this.#disowned = true;
      void this.deregister();
      throw error;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
    this.#standing.confirm();
    void this.#keep();
  }

  /** When the registry cannot be reached it rejects with REGISTRY_UNAVAILABLE, and the next pulse that gets through writes it. */
  update(patch: InstancePatch): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#stop.signal.aborted) throw this.#failed('is not registered any more');
      const before = { input: this.#input, unwritten: this.#unwritten };
      this.#input = patched(this.#input, patch, this.#plan.entry.ownStatus);
      this.#unwritten = true;
      try {
        await this.#write(this.#plan.entry.ownStatus);
      } catch (error) {
        // What was refused once would be refused for ever; what did not get through is written by a later pulse.
        if (!isFairleadError(error, 'REGISTRY_UNAVAILABLE')) {
          this.#input = before.input;
          this.#unwritten = before.unwritten;
        }
        throw error;
      }
    });
  }

  deregister(): Promise<void> {
    return (this.#ending ??= this.#end());
  }

  /** Another registration has taken its id: this one stops, and leaves the entry to it. */
  supersede(): void {
    this.#disowned = true;
    this.#stop.abort(this.#failed('was registered anew by another registration'));
    this.#standing.disarm();
    this.#standing.lose(this.#stop.signal.reason);
    void this.#turn.then(() => this.#plan.ended());
  }

  async #firstWrite(): Promise<void> {
    const { entry, runtime } = this.#plan;
    const instance = toInstance(this.#input);
    const { signal } = this.#stop;
    for (let failures = 1; ; failures += 1) {
      signal.throwIfAborted();
      this.#disowned = false;
      try {
        return await entry.write(instance, instance.status, signal);
      } catch (error) {
        if (signal.aborted || !isFairleadError(error, 'REGISTRY_UNAVAILABLE')) throw error;
        await runtime.sleep(this.#retryMs(failures), signal);
      }
    }
  }

  async #keep(): Promise<void> {
    const { signal } = this.#stop;
    for (let failures = 0; !signal.aborted;) {
      const waitMs = failures === 0 ? this.#plan.pulseMs : this.#retryMs(failures);
      await pause(this.#plan.runtime, waitMs, signal).catch(() => undefined);
      if (!signal.aborted) failures = (await this.#inTurn(() => this.#tend())) ? 0 : failures + 1;
    }
  }

  /** One pulse; writes the entry anew if the registry lacks it. False: it could not be done. */
  async #tend(): Promise<boolean> {
    const { entry } = this.#plan;
    const { signal } = this.#stop;
    try {
      const known = await entry.pulse(toInstance(this.#input), signal);
      if (!known) this.#standing.lose(this.#failed('is not there any more'));
      if (!known || this.#unwritten) await this.#write(!known || entry.ownStatus);
      else this.#standing.confirm();
      return true;
    } catch (error) {
      if (!signal.aborted) this.#standing.fail(error);
      return false;
    }
  }

  /** @param withStatus false: the entry keeps the status that its check found */
  async #write(withStatus: boolean): Promise<void> {
    if (this.#stop.signal.aborted) throw this.#failed('is not registered any more');
    const instance = toInstance(this.#input);
    await this.#plan.entry.write(instance, withStatus ? instance.status : undefined);
    this.#unwritten = false;
    this.#standing.confirm();
  }

  async #end(): Promise<void> {
    this.#standing.close();
    this.#stop.abort(this.#failed('was deregistered'));
    await this.#turn;
    if (!this.#disowned) await this.#plan.entry.remove().catch((error: unknown) => this.#standing.fail(error));
    this.#plan.ended();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  #retryMs(failures: number): number {
    const { pulseMs, runtime } = this.#plan;
    const maxMs = Math.min(REGISTRY_BACKOFF.maxMs, pulseMs);
    return fullJitter({ ...REGISTRY_BACKOFF, maxMs }, failures, runtime.random());
  }

  #failed(what: string): FairleadError {
    const { service } = this.#input;
    return new FairleadError('REGISTRATION_FAILED', `${service}: ${this.#plan.entry.name} ${what}`, { service });
  }
}

const patched = (input: InstanceInput, patch: InstancePatch, ownStatus: boolean): InstanceInput => {
  const unknown = typeof patch === 'object' && patch !== null ? unknownKey(patch, PATCHABLE) : shown(patch);
  if (unknown !== undefined)
    throw new TypeError(`update: expected some of ${Object.keys(PATCHABLE).join(', ')}, got ${unknown}`);
  if (patch.status !== undefined && !ownStatus)
    throw new TypeError('update: status: is what the check of this registration finds; only a TTL check is told');
  const changed = { ...input, ...patch };
  toInstance(changed);
  return changed;
};
