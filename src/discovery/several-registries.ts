import { FairleadError } from '../core/errors.js';
import { latest, type Latest } from '../core/latest.js';
import type { Registry, WatchContext } from '../core/registry.js';
import type { Followed, InstanceSet } from './followed.js';

/** What makes one registry of several: who is watched, and what their sets mean together. */
export interface Several {
  readonly name: string;
  readonly registries: readonly Registry[];
  /** Begins to watch; `changed` is to be called whenever `view` may give something else. */
  readonly follow: (service: string, context: WatchContext, changed: () => void) => Following;
  readonly discover: Registry['discover'];
}

export interface Following {
  /** The set that holds now; `undefined`: nothing can be said yet; `'lost'`: none of them can be reached. */
  view(): InstanceSet | 'lost' | undefined;
  stop(): void;
}

/** A registry over registries. Closing it closes them. */
export const severalRegistries = ({ name, registries, follow, discover }: Several): Registry => {
  const watches = new Set<Latest<InstanceSet>>();
  let closed: FairleadError | undefined;
  async function* watch(service: string, context: WatchContext): AsyncGenerator<InstanceSet> {
    const { signal } = context;
    if (signal.aborted) return;
    if (closed !== undefined) throw closed;
    const sets = latest<InstanceSet>(signal);
    watches.add(sets);
    const following = follow(service, context, () => {
      const view = following.view();
      if (view === 'lost') sets.fail(unreachable(name, service));
      else if (view !== undefined) sets.push(view);
    });
    try {
      yield* sets.iterable;
    } finally {
      watches.delete(sets);
      following.stop();
    }
  }
  return {
    name,
    watch,
    discover,
    close: async () => {
      // First, or each that closes would look like one that was lost.
      closed ??= new FairleadError('REGISTRY_UNAVAILABLE', `${name}: the registry is closed`);
      for (const sets of watches) sets.fail(closed);
      await Promise.all(registries.map(registry => registry.close()));
    },
  };
};

export const unreachable = (name: string, service: string, cause?: unknown): FairleadError =>
  new FairleadError('REGISTRY_UNAVAILABLE', `${name}: none of the registries can be reached`, { service, cause });

/** Nobody is in contact, and everybody has been tried. */
export const allLost = (members: readonly Followed[]): boolean =>
  members.every(({ heard, connected }) => heard && !connected);

export const checkedRegistry = (path: string, registry: unknown): Registry => {
  const missing = ['watch', 'discover', 'close'].find(
    method => typeof (registry as Record<string, unknown> | null | undefined)?.[method] !== 'function',
  );
  if (missing !== undefined) throw new TypeError(`${path}: expected a registry, with a method ${missing}()`);
  return registry as Registry;
};
