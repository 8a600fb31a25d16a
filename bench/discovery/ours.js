// Our ways to see changes, in the form of a field's bare ones.
import { DiscoveryClient, systemRuntime } from '../../dist/index.js';

const hasIn = instances => id => instances.some(instance => instance.id === id);

/** `registry.watch` alone. Resolves with the first set. */
export const watchOf = async (registry, service, look) => {
  const life = new AbortController();
  const report = problem => {
    throw new Error(problem.message);
  };
  const first = deferred();
  const loop = async () => {
    for await (const instances of registry.watch(service, { signal: life.signal, runtime: systemRuntime, report })) {
      look(hasIn(instances));
      first.resolve();
    }
  };
  loop().catch(first.reject);
  await first.promise;
  return async () => life.abort();
};

/** A DiscoveryClient, as service clients have it. */
export const discoveryOf = async (registry, service, look) => {
  const discovery = new DiscoveryClient({ registry });
  discovery.subscribe(service, { changed: ({ instances }) => look(hasIn(instances)) });
  await discovery.whenKnown(service);
  return () => discovery.close();
};

/** Node 20 has no Promise.withResolvers. */
const deferred = () => {
  const parts = {};
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
};
