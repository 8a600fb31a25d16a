import { identityOf, type ServiceInstance } from '../core/instance.js';
import type { Contact } from './contact.js';

/** Who may serve, as far as is known. Frozen; a new one for each change. */
export interface DiscoveredSet {
  readonly instances: readonly ServiceInstance[];
  /** `identityOf` each instance that the registry dropped and that the loss protection keeps. */
  readonly held: ReadonlySet<string>;
  /** Set when the last good set was given up (`maxStaleMs`): why nobody is listed, although no registry said so. */
  readonly unknown?: string | undefined;
}

/** Where a service stands with its registry. */
export interface DiscoveryStatus {
  /** Is there a set, be it empty? */
  readonly known: boolean;
  readonly count: number;
  /** How many of them the registry dropped and the loss protection keeps. */
  readonly held: number;
  /** Since the last contact, in ms: 0 while the watch is up; `undefined` before the first. */
  readonly ageMs: number | undefined;
  /** The set is the last good one: the registry cannot be reached. */
  readonly stale: boolean;
  /** Bad entries and the like, counted each time they were met. */
  readonly problems: number;
}

/** `problems`: how many there were; `now`: monotonic ms. */
export const statusOf = (
  known: DiscoveredSet | undefined,
  { contact, now, problems }: { readonly contact: Contact; readonly now: number; readonly problems: number },
): DiscoveryStatus => ({
  known: known !== undefined,
  count: known?.instances.length ?? 0,
  held: known?.held.size ?? 0,
  ageMs: contact.ageMs(now),
  stale: known !== undefined && !contact.connected,
  problems,
});

export interface SetChange {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

const NOBODY: DiscoveredSet = { instances: [], held: new Set() };

/** Ids that came and went; `undefined` when nothing changed: neither an instance, nor a field, nor who is held. */
export const changeBetween = (before: DiscoveredSet | undefined, after: DiscoveredSet): SetChange | undefined => {
  // Registries keep the objects of what did not change: in a large set that is nearly all, and needs no comparison.
  const kept = keptBetween(before ?? NOBODY, after);
  const old = byIdentity(before ?? NOBODY, kept);
  const next = byIdentity(after, kept);
  const added = [...next].filter(([identity]) => !old.has(identity)).map(([, instance]) => instance);
  const removed = [...old].filter(([identity]) => !next.has(identity)).map(([, instance]) => instance);
  const same =
    before !== undefined &&
    before.unknown === after.unknown &&
    added.length + removed.length === 0 &&
    [...next].every(
      ([identity, instance]) =>
        sameFields(instance, old.get(identity)!) && before.held.has(identity) === after.held.has(identity),
    );
  return same ? undefined : { added: added.map(idOf), removed: removed.map(idOf) };
};

/** The same objects in both, where nobody is held: that an instance is held shows in its set only. */
const keptBetween = (before: DiscoveredSet, after: DiscoveredSet): ReadonlySet<ServiceInstance> => {
  if (before.held.size + after.held.size > 0) return new Set();
  const known = new Set(before.instances);
  return new Set(after.instances.filter(instance => known.has(instance)));
};

const byIdentity = (
  { instances }: DiscoveredSet,
  kept: ReadonlySet<ServiceInstance>,
): ReadonlyMap<string, ServiceInstance> =>
  new Map(instances.filter(instance => !kept.has(instance)).map(instance => [identityOf(instance), instance]));

const idOf = ({ id }: ServiceInstance): string => id;

const sameFields = (a: ServiceInstance, b: ServiceInstance): boolean =>
  a === b ||
  (a.service === b.service &&
    a.weight === b.weight &&
    a.status === b.status &&
    a.zone === b.zone &&
    a.version === b.version &&
    a.incarnation === b.incarnation &&
    a.tags.length === b.tags.length &&
    a.tags.every((tag, index) => tag === b.tags[index]) &&
    sameMetadata(a.metadata, b.metadata));

const sameMetadata = (a: ServiceInstance['metadata'], b: ServiceInstance['metadata']): boolean => {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every(key => a[key] === b[key]);
};
