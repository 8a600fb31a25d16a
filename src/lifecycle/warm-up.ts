import type { Runtime } from '../core/runtime.js';
import { holdProcess } from '../core/pause.js';

export interface WarmUpPlan {
  /** Resolves when the server listens. */
  readonly listening: Promise<void> | undefined;
  readonly ready: ((context: { readonly signal: AbortSignal }) => unknown) | undefined;
  readonly readyTimeoutMs: number;
  readonly runtime: Runtime;
  readonly signal: AbortSignal;
  /** Time is up, and this is still missing. It is waited for none the less. */
  readonly late: (missing: string) => void;
}

/** Resolves when the server listens and `ready` has ended; rejects with what `ready` threw. An abort ends only the clock. */
export const warmUp = async (plan: WarmUpPlan): Promise<void> => {
  const { listening, ready, readyTimeoutMs, runtime, signal, late } = plan;
  const missing = new Set<string>();
  const wait = async (name: string, until: Promise<unknown> | undefined): Promise<void> => {
    missing.add(name);
    await until;
    missing.delete(name);
  };
  // Not before the caller has its handle.
  const run = async (): Promise<unknown> => (await Promise.resolve(), ready?.({ signal }));
  const disarm = runtime.after(readyTimeoutMs, () => late([...missing].join(', ')));
  signal.addEventListener('abort', disarm, { once: true });
  try {
    await Promise.all([wait('the server does not listen', listening), wait('ready() has not ended', run())]);
  } finally {
    disarm();
    signal.removeEventListener('abort', disarm);
  }
};

/** What `ready()` of a handle promises: settled once, and no unhandled rejection where nobody asks. */
export class Readiness {
  readonly #settled: Promise<void>;
  #resolve: () => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor() {
    this.#settled = new Promise<void>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#settled.catch(() => undefined);
  }

  resolve(): void {
    this.#resolve();
  }

  reject(error: unknown): void {
    this.#reject(error);
  }

  /** Who awaits it is kept alive by that. */
  wait(runtime: Runtime): Promise<void> {
    return this.#settled.finally(holdProcess(runtime));
  }
}
