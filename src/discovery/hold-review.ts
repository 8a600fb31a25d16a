import { describe } from '../core/errors.js';
import type { ServiceInstance } from '../core/instance.js';
import type { Registry, RegistryProblem } from '../core/registry.js';
import type { Runtime } from '../core/runtime.js';
import { fullJitter } from '../machines/backoff.js';
import { REGISTRY_BACKOFF } from '../machines/registry-backoff.js';
import { Alarm } from './alarm.js';
import type { LossProtection } from './loss-protection.js';

export interface HoldReviewParts {
  readonly service: string;
  readonly registry: Registry;
  readonly runtime: Runtime;
  readonly protection: LossProtection;
  /** How long a read may take, in ms. */
  readonly readTimeoutMs: number;
  /** Makes a set of what was read; `undefined` if it is none. */
  readonly parse: (value: unknown) => readonly ServiceInstance[] | undefined;
  /** A read was done and applied; `changed` if the set differs now. */
  readonly reviewed: (changed: boolean) => void;
  readonly report: (problem: RegistryProblem) => void;
}

/**
 * Asks the registry again once a loss has lasted long enough: only such a read can prove it. A read that fails proves
 * nothing, so the held ones stay and it is tried again, for ever, with back-off.
 */
export class HoldReview {
  readonly #parts: HoldReviewParts;
  readonly #alarm: Alarm;
  #reading: AbortController | undefined;
  #failures = 0;
  #notBefore = -Infinity;
  #closed = false;

  constructor(parts: HoldReviewParts) {
    this.#parts = parts;
    this.#alarm = new Alarm(parts.runtime, () => void this.#review());
  }

  /** To be called whenever who is held may have changed. */
  schedule(): void {
    if (this.#reading === undefined) this.#alarm.set(Math.max(this.#parts.protection.reviewAt, this.#notBefore));
  }

  close(): void {
    this.#closed = true;
    this.#alarm.close();
    this.#reading?.abort();
  }

  async #review(): Promise<void> {
    const { runtime, protection, reviewed } = this.#parts;
    const readAt = runtime.now();
    const reading = new AbortController();
    this.#reading = reading;
    const found = await this.#read(reading);
    this.#reading = undefined;
    if (this.#closed) return;
    if (found === undefined) {
      this.#failures += 1;
      this.#notBefore = runtime.now() + fullJitter(REGISTRY_BACKOFF, this.#failures, runtime.random());
    } else {
      this.#failures = 0;
      this.#notBefore = -Infinity;
      reviewed(protection.read(found, readAt));
    }
    this.schedule();
  }

  /** Bounded, whatever the registry does with the signal. `undefined` when nothing was learnt. */
  async #read(reading: AbortController): Promise<readonly ServiceInstance[] | undefined> {
    const { registry, service, runtime, readTimeoutMs, parse, report } = this.#parts;
    const cancel = runtime.after(readTimeoutMs, () => reading.abort());
    const aborted = new Promise<undefined>(resolve =>
      reading.signal.addEventListener('abort', () => resolve(undefined), { once: true }),
    );
    try {
      const answer = registry.discover(service, { signal: reading.signal, runtime, report });
      const value = await Promise.race([answer, aborted]);
      if (reading.signal.aborted) throw new Error(`no answer within ${readTimeoutMs} ms`);
      return parse(value);
    } catch (cause) {
      const message = `a read to confirm a loss failed: ${describe(cause)}`;
      if (!this.#closed) report({ kind: 'unreachable', message, cause });
      return undefined;
    } finally {
      cancel();
    }
  }
}
