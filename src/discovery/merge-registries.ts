import type { ServiceInstance } from '../core/instance.js';
import type { Registry, WatchContext } from '../core/registry.js';
import { differences } from './differences.js';
import { Followed, named, type InstanceSet } from './followed.js';
import { allLost, checkedRegistry, severalRegistries, unreachable, type Following } from './several-registries.js';

/**
 * Several registries as one: their instances together, each id once, as the earlier registry lists it. For moving from one
 * registry to another without downtime, and for services that live in two.
 *
 * ```ts
 * const registry = mergeRegistries([consulRegistry(), etcdRegistry()]);
 * ```
 *
 * One that cannot be reached keeps its last good set, and is reported, as is what they differ in: the event
 * `registry.problem`. A watch fails only when none of them can be reached. Closing it closes all of them. It is read only:
 * a service registers with each. Throws a TypeError that names what is no registry.
 */
export const mergeRegistries = (registries: readonly Registry[]): Registry => {
  if (!Array.isArray(registries) || registries.length === 0)
    throw new TypeError('registries: expected an array of at least one registry');
  const all = registries.map((registry, index) => checkedRegistry(`registries[${index}]`, registry));
  const name = all.map(registry => registry.name).join('+');
  const memory = new Map<string, (InstanceSet | undefined)[]>();
  return severalRegistries({
    name,
    registries: all,
    follow: (service, context, changed) => followAll({ all, service, context, changed, memory }),
    discover: async (service, context) => {
      const sets = await Promise.allSettled(
        all.map(registry => registry.discover(service, forMember(registry, context))),
      );
      context?.signal?.throwIfAborted();
      for (const [index, result] of sets.entries())
        if (result.status === 'rejected')
          context?.report?.({
            kind: 'unreachable',
            message: `${all[index]!.name}: cannot be reached`,
            entry: all[index]!.name,
            cause: result.reason,
          });
      const known = sets.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []));
      if (known.length === 0) throw unreachable(name, service, (sets[0] as PromiseRejectedResult).reason);
      return union(known);
    },
  });
};

interface Merging {
  readonly all: readonly Registry[];
  readonly service: string;
  readonly context: WatchContext;
  readonly changed: () => void;
  /** The last good sets by service: they outlive a watch that was lost. */
  readonly memory: Map<string, (InstanceSet | undefined)[]>;
}

const followAll = ({ all, service, context, changed, memory }: Merging): Following => {
  const before = memory.get(service) ?? [];
  const members = all.map(
    (registry, index) => new Followed({ service, registry, context, remembered: before[index], changed }),
  );
  let told = '';
  return {
    view: () => {
      if (allLost(members)) return 'lost';
      const sets = members.map(({ set }) => set ?? []);
      const merged = union(sets);
      // An empty set from the first that answers says nothing while another may know somebody.
      if (merged.length === 0 && members.some(({ heard }) => !heard)) return undefined;
      const difference = members.every(({ connected }) => connected) ? differences(members) : told;
      if (difference !== told && difference !== '') context.report({ kind: 'other', message: difference });
      told = difference;
      return merged;
    },
    stop: () => {
      members.forEach(member => member.stop());
      // Nobody asks any more: there is nothing to remember it for.
      if (context.signal.aborted) memory.delete(service);
      else
        memory.set(
          service,
          members.map(({ set }) => set),
        );
    },
  };
};

const union = (sets: readonly InstanceSet[]): InstanceSet => {
  const byId = new Map<unknown, ServiceInstance>();
  for (const set of sets)
    for (const instance of set) {
      const id: unknown = (instance as ServiceInstance | null)?.id ?? instance;
      if (!byId.has(id)) byId.set(id, instance);
    }
  return [...byId.values()];
};

const forMember = (registry: Registry, context: Partial<WatchContext> | undefined): Partial<WatchContext> => ({
  ...context,
  report: problem => context?.report?.(named(registry, problem)),
});
