import type { ServiceInstance } from '../core/instance.js';
import { latest, type Latest } from '../core/latest.js';
import { pause } from '../core/pause.js';
import type { RegistryProblem, WatchContext } from '../core/registry.js';
import type { Runtime } from '../core/runtime.js';
import type { PolledRegistry } from './polling-registry.js';
import { readWithin } from './read-within.js';

export interface ServicePollParts {
  readonly service: string;
  readonly registry: PolledRegistry;
  /** Of whoever came first. */
  readonly runtime: Runtime;
  readonly ttlMs: number;
  readonly timeoutMs: number;
  /** Nobody reads any more, or it failed: the next one starts anew. */
  readonly ended: () => void;
}

type Sets = Latest<readonly ServiceInstance[]>;

/** So much of the TTL is added to it by chance, so that processes that started together do not ask together for ever. */
const JITTER = 0.2;

/** Asks again and again for one service while somebody reads, once for all of them. The first failure ends it for all. */
export class ServicePoll {
  readonly #parts: ServicePollParts;
  readonly #readers = new Map<Sets, WatchContext['report']>();
  readonly #ending = new AbortController();
  #newest: readonly ServiceInstance[] | undefined;

  constructor(parts: ServicePollParts) {
    this.#parts = parts;
    void this.#run();
  }

  async *join(context: WatchContext): AsyncGenerator<readonly ServiceInstance[]> {
    const sets: Sets = latest(context.signal);
    this.#readers.set(sets, problem => context.report(problem));
    if (this.#newest !== undefined) sets.push(this.#newest);
    try {
      yield* sets.iterable;
    } finally {
      this.#readers.delete(sets);
      if (this.#readers.size === 0) this.fail(new Error('nobody reads any more'));
    }
  }

  fail(error: unknown): void {
    if (this.#ending.signal.aborted) return;
    this.#parts.ended();
    this.#ending.abort(error);
    for (const sets of this.#readers.keys()) sets.fail(error);
  }

  async #run(): Promise<void> {
    const { service, registry, runtime, ttlMs, timeoutMs: ms } = this.#parts;
    const { signal } = this.#ending;
    const report = (problem: RegistryProblem): void => this.#readers.forEach(tell => tell(problem));
    const ask = (reading: AbortSignal) => registry.discover(service, { signal: reading, runtime, report });
    try {
      while (!signal.aborted) {
        const found = await readWithin(ask, { ms, runtime, signal });
        this.#newest = found;
        for (const sets of this.#readers.keys()) sets.push(found);
        await pause(runtime, ttlMs * (1 + JITTER * runtime.random()), signal);
      }
    } catch (error) {
      this.fail(error);
    }
  }
}
