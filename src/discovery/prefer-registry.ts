import * as check from '../core/check.js';
import type { Registry, WatchContext } from '../core/registry.js';
import { Followed, named, type InstanceSet } from './followed.js';
import { allLost, checkedRegistry, severalRegistries, type Following } from './several-registries.js';

export interface PreferRegistryOptions {
  /** How long the primary may be out of reach before the fallback is asked, in ms, >= 0. @default 2_000 */
  readonly afterMs?: number | undefined;
}

const AFTER_MS = 2_000;

/**
 * The primary's instances, and the fallback's where the primary lists none of the service, or cannot be reached for
 * `afterMs`. For a migration service by service: callers look into the new registry first, and find in the old one what
 * has not moved yet.
 *
 * ```ts
 * const registry = preferRegistry(etcdRegistry(), consulRegistry());
 * ```
 *
 * The fallback is watched only while it is needed; both turns are reported as `registry.problem`. Until `afterMs` the
 * primary's last good set serves, if there was one. A watch fails only when neither can be reached. Closing it closes both. It is read only.
 * Throws a TypeError that names what is no registry.
 */
export const preferRegistry = (
  primary: Registry,
  fallback: Registry,
  options: PreferRegistryOptions = {},
): Registry => {
  checkedRegistry('primary', primary);
  checkedRegistry('fallback', fallback);
  check.object('options', options, { known: ['afterMs'], hint: '; write { afterMs: 2_000 }' });
  check.number('afterMs', options.afterMs, { min: 0 });
  const { afterMs = AFTER_MS } = options;
  return severalRegistries({
    name: `${primary.name}|${fallback.name}`,
    registries: [primary, fallback],
    follow: (service, context, changed) => new Preferring({ primary, fallback, afterMs, service, context, changed }),
    discover: async (service, context) => {
      const first = await primary.discover(service, context).then(
        set => ({ set, error: undefined }),
        (error: unknown) => ({ set: undefined, error }),
      );
      if (first.set !== undefined && first.set.length > 0) return first.set;
      context?.signal?.throwIfAborted();
      const second = await fallback.discover(service, context).catch((error: unknown) => {
        if (first.set === undefined) throw error;
        context?.report?.(named(fallback, { kind: 'unreachable', message: 'cannot be reached', cause: error }));
        return first.set;
      });
      return second;
    },
  });
};

interface PreferringParts {
  readonly primary: Registry;
  readonly fallback: Registry;
  readonly afterMs: number;
  readonly service: string;
  readonly context: WatchContext;
  readonly changed: () => void;
}

/** Watches the primary for ever, and the fallback while it is needed. */
class Preferring implements Following {
  readonly #parts: PreferringParts;
  readonly #primary: Followed;
  #fallback: Followed | undefined;
  /** Runs while the primary is out of reach and nobody else was asked yet. */
  #patience: (() => void) | undefined;
  #servedBy: Registry;

  constructor(parts: PreferringParts) {
    this.#parts = parts;
    this.#servedBy = parts.primary;
    this.#primary = new Followed({
      ...parts,
      registry: parts.primary,
      remembered: undefined,
      changed: () => this.#primaryChanged(),
    });
    this.#wait();
  }

  view(): InstanceSet | 'lost' | undefined {
    const { set, connected } = this.#primary;
    if (connected && set !== undefined && set.length > 0) return this.#from(this.#parts.primary, set);
    if (this.#fallback === undefined) return set === undefined || set.length === 0 ? undefined : set;
    if (allLost([this.#primary, this.#fallback])) return 'lost';
    const other = this.#fallback.set;
    if (other !== undefined && other.length > 0) return this.#from(this.#parts.fallback, other);
    if (!this.#fallback.heard) return undefined;
    return set ?? other;
  }

  stop(): void {
    this.#patience?.();
    this.#primary.stop();
    this.#fallback?.stop();
  }

  #primaryChanged(): void {
    const { connected, set } = this.#primary;
    if (connected) {
      this.#patience?.();
      this.#patience = undefined;
      if (set!.length > 0) {
        this.#fallback?.stop();
        this.#fallback = undefined;
      } else this.#ask();
    } else if (set === undefined) this.#ask();
    else if (this.#fallback === undefined) this.#wait();
    this.#parts.changed();
  }

  #wait(): void {
    const { context, afterMs } = this.#parts;
    this.#patience ??= context.runtime.after(afterMs, () => {
      this.#patience = undefined;
      this.#ask();
    });
  }

  #ask(): void {
    const { fallback, changed } = this.#parts;
    this.#fallback ??= new Followed({ ...this.#parts, registry: fallback, remembered: undefined, changed });
  }

  #from(registry: Registry, set: InstanceSet): InstanceSet {
    if (registry !== this.#servedBy)
      this.#parts.context.report({
        kind: 'other',
        message: `${registry.name}: serves now in place of ${this.#servedBy.name}, instances: ${set.length}`,
      });
    this.#servedBy = registry;
    return set;
  }
}
