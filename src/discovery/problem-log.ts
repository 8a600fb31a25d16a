import type { RegistryProblem } from '../core/registry.js';

const REPEAT_MS = 60_000;
/** A registry full of ever new nonsense must not fill our memory, nor the caller's log: beyond this it is only counted. */
const MAX_REMEMBERED = 1_000;

/** Tells which problems are news: the same one once a minute, a pair on one address once. Pure: time is an argument. */
export class ProblemLog {
  readonly #toldAt = new Map<string, number>();
  #count = 0;

  /** All that were ever reported, told or not. */
  get count(): number {
    return this.#count;
  }

  isNews({ kind, entry, message }: RegistryProblem, now: number): boolean {
    this.#count += 1;
    const key = `${kind} ${entry ?? ''} ${message}`;
    const toldAt = this.#toldAt.get(key);
    if (toldAt !== undefined && (kind === 'duplicate-address' || now - toldAt < REPEAT_MS)) return false;
    if (toldAt === undefined && this.#toldAt.size >= MAX_REMEMBERED && !this.#forget(now)) return false;
    // Deleted first, so that the map is in the order of the times.
    this.#toldAt.delete(key);
    this.#toldAt.set(key, now);
    return true;
  }

  /** True if that made room. */
  #forget(now: number): boolean {
    for (const [key, toldAt] of this.#toldAt) {
      if (now - toldAt < REPEAT_MS) break;
      this.#toldAt.delete(key);
    }
    return this.#toldAt.size < MAX_REMEMBERED;
  }
}
