import type { Runtime } from '../core/runtime.js';
import { within } from './within.js';

/** Lets go of something: closes a pool, flushes traces. What it throws, or rejects with, is reported. */
export type ReleaseHook = () => unknown;

export interface Releasing {
  readonly timeoutMs: number;
  readonly runtime: Runtime;
  readonly failed: (error: unknown) => void;
}

/** What has to be let go of at the end. Last in, first out: what came later may need what was there before. */
export class ReleaseHooks {
  readonly #hooks: { readonly hook: ReleaseHook }[];

  constructor(hooks: readonly ReleaseHook[]) {
    this.#hooks = hooks.map(hook => ({ hook }));
  }

  add(hook: ReleaseHook): () => void {
    const entry = { hook };
    this.#hooks.push(entry);
    return () => {
      const index = this.#hooks.indexOf(entry);
      if (index >= 0) this.#hooks.splice(index, 1);
    };
  }

  /** One after the other. One that fails, or takes longer than `timeoutMs`, does not keep the next from running. */
  async run({ timeoutMs, runtime, failed }: Releasing): Promise<void> {
    for (let entry = this.#hooks.pop(); entry !== undefined; entry = this.#hooks.pop()) {
      const { hook } = entry;
      try {
        const ended = await within(runtime, timeoutMs, () => new Promise(resolve => resolve(hook())));
        if (!ended) failed(new Error(`the release hook ${nameOf(hook)} did not end within ${timeoutMs} ms`));
      } catch (error) {
        failed(error);
      }
    }
  }
}

const nameOf = ({ name }: ReleaseHook): string => (name === '' ? 'without a name' : name);
