import { pause } from '../core/pause.js';
import type { Registry, RegistryProblem } from '../core/registry.js';
import type { Runtime } from '../core/runtime.js';
import { Reconnect } from './reconnect.js';

export interface WatchLoopParts {
  readonly service: string;
  readonly registry: Registry;
  readonly runtime: Runtime;
  /** What the registry yielded, whatever that is. Returns false if it is no set. */
  readonly received: (value: unknown) => boolean;
  readonly lost: (error: unknown, retryInMs: number) => void;
  readonly report: (problem: RegistryProblem) => void;
}

/** Watches one service until it is stopped: starts anew, for ever, when a watch ends or throws. Never rejects. */
export class WatchLoop {
  readonly #parts: WatchLoopParts;
  readonly #reconnect = new Reconnect();
  /** One for each watch: what an adapter leaves on its signal goes with it. */
  #current = new AbortController();
  #stopped = false;
  readonly ended: Promise<void>;

  constructor(parts: WatchLoopParts) {
    this.#parts = parts;
    this.ended = this.#run();
  }

  /** Watches begun since the last set. */
  get tries(): number {
    return this.#reconnect.tries;
  }

  stop(): void {
    this.#stopped = true;
    this.#current.abort();
  }

  async #run(): Promise<void> {
    const { runtime, lost } = this.#parts;
    // Whoever starts the loop finishes first: a registry may answer, or throw, synchronously.
    await Promise.resolve();
    while (!this.#stopped) {
      this.#reconnect.started();
      const error = await this.#watchOnce();
      if (this.#stopped) return;
      const retryInMs = this.#reconnect.lost(runtime.now(), runtime.random());
      this.#current = new AbortController();
      lost(error, retryInMs);
      await pause(runtime, retryInMs, this.#current.signal).catch(ignore);
    }
  }

  /** Resolves with the reason why it ended. */
  async #watchOnce(): Promise<unknown> {
    const { service, registry, runtime, received, report } = this.#parts;
    const controller = new AbortController();
    this.#current = controller;
    try {
      const context = { signal: controller.signal, runtime, report };
      // Awaited for registries whose author wrote `async watch()`: what that rejects with is caught here.
      const sets: unknown = registry.watch(service, context);
      for await (const value of (await sets) as AsyncIterable<unknown>) {
        if (this.#stopped) return undefined;
        if (received(value)) this.#reconnect.received(runtime.now());
      }
      return new Error('the watch ended');
    } catch (error) {
      return error;
    } finally {
      controller.abort();
    }
  }
}

const ignore = (): void => undefined;
