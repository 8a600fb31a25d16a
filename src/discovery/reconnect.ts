import { fullJitter } from '../machines/backoff.js';
import { REGISTRY_BACKOFF } from '../machines/registry-backoff.js';

/** A watch that breaks sooner after its set counts as a failure too: else a flapping registry is asked 20 times a second. */
const STEADY_MS = 1_000;

/** How long to wait before a lost watch is started anew. Never gives up. Pure: time and chance are arguments. */
export class Reconnect {
  /** Tries since the last set. */
  #tries = 0;
  #failures = 0;
  #flaps = 0;
  #connectedAt: number | undefined;

  get tries(): number {
    return this.#tries;
  }

  started(): void {
    this.#tries += 1;
  }

  /** A set was received. */
  received(now: number): void {
    this.#connectedAt ??= now;
    this.#tries = 0;
    this.#failures = this.#flaps;
  }

  /** Returns the wait in ms. */
  lost(now: number, chance: number): number {
    if (this.#connectedAt !== undefined) this.#flaps = now - this.#connectedAt < STEADY_MS ? this.#flaps + 1 : 0;
    this.#connectedAt = undefined;
    this.#failures += 1;
    return fullJitter(REGISTRY_BACKOFF, this.#failures, chance);
  }
}
