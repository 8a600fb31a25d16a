import { identityOf, type ServiceInstance } from '../core/instance.js';

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

export interface SetChange {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

const NOBODY: DiscoveredSet = { instances: [], held: new Set() };

/** Ids that came and went; `undefined` when nothing changed: neither an instance, nor a field, nor who is held. */
export const changeBetween = (before: DiscoveredSet | undefined, after: DiscoveredSet): SetChange | undefined => {
  const old = byIdentity(before ?? NOBODY);
  const next = byIdentity(after);
  const added = after.instances.filter(instance => !old.has(identityOf(instance)));
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

const byIdentity = ({ instances }: DiscoveredSet): ReadonlyMap<string, ServiceInstance> =>
  new Map(instances.map(instance => [identityOf(instance), instance]));

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
