import { describe } from '../core/errors.js';
import { toInstance, type InstanceInput, type ServiceInstance } from '../core/instance.js';
import type { RegistryProblem } from '../core/registry.js';

export interface Normalised {
  /** Valid, serving, and one for each address:port. */
  readonly instances: readonly ServiceInstance[];
  readonly problems: readonly RegistryProblem[];
}

/**
 * Makes a set of what a registry yielded, whoever wrote that registry: bad entries are skipped, so that one of them
 * cannot hide the good ones. Pure.
 */
export const normalise = (entries: readonly unknown[], { includeWarning }: { includeWarning: boolean }): Normalised => {
  const problems: RegistryProblem[] = [];
  const byPlace = new Map<string, ServiceInstance>();
  entries.forEach((entry, index) => {
    const instance = checked(entry, index, problems);
    if (instance === undefined) return;
    if (instance.status !== 'passing' && !(includeWarning && instance.status === 'warning')) return;
    const place = placeOf(instance);
    const rival = byPlace.get(place);
    const newest = rival === undefined ? instance : newer(rival, instance);
    if (rival !== undefined && rival.id !== instance.id) problems.push(duplicate(place, [rival, instance], newest));
    byPlace.set(place, newest);
  });
  return { instances: Object.freeze([...byPlace.values()]), problems };
};

/** Where a process listens. Two entries there are one process, registered twice. */
export const placeOf = ({ address, port }: ServiceInstance): string => `${address.toLowerCase()} ${port}`;

const checked = (entry: unknown, index: number, problems: RegistryProblem[]): ServiceInstance | undefined => {
  try {
    if (typeof entry !== 'object' || entry === null) throw new TypeError('it is not an object');
    return toInstance(entry as InstanceInput);
  } catch (cause) {
    const id = idOf(entry);
    // By its id if it has one: its place in the list changes with each update.
    const name = id === undefined ? String(index) : JSON.stringify(id);
    problems.push({ kind: 'bad-entry', message: `entry ${name} is skipped: ${describe(cause)}`, entry: id, cause });
    return undefined;
  }
};

const idOf = (entry: unknown): string | undefined => {
  try {
    const { id } = entry as InstanceInput;
    return typeof id === 'string' ? id.slice(0, 200) : undefined;
  } catch {
    return undefined;
  }
};

/** Decimal, or hexadecimal as ZooKeeper's tools write it. */
const WHOLE_NUMBER = /^(?:\d{1,40}|0x[0-9a-f]{1,40})$/;

/** Of two entries at one place, the one that was registered later. */
const newer = (earlier: ServiceInstance, later: ServiceInstance): ServiceInstance => {
  const a = earlier.incarnation ?? '';
  const b = later.incarnation ?? '';
  if (WHOLE_NUMBER.test(a) && WHOLE_NUMBER.test(b) && BigInt(a) > BigInt(b)) return earlier;
  return later;
};

const duplicate = (
  place: string,
  [one, other]: readonly [ServiceInstance, ServiceInstance],
  newest: ServiceInstance,
): RegistryProblem => {
  const older = newest === one ? other : one;
  return {
    kind: 'duplicate-address',
    message: `${JSON.stringify(older.id)} and ${JSON.stringify(newest.id)} are both on ${place.replace(' ', ' port ')}: the newer, ${JSON.stringify(newest.id)}, counts`,
    entry: older.id,
  };
};
