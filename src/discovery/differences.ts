import { identityOf, type ServiceInstance } from '../core/instance.js';
import type { Followed } from './followed.js';

const MOST_NAMED = 3;

/** What registries that should list the same differ in, as one sentence; empty when they do not. */
export const differences = (members: readonly Followed[]): string => {
  const found: string[] = [];
  for (const { registry, set } of members) {
    const others = members.filter(other => other.registry !== registry).map(other => ids(other.set));
    const alone = [...ids(set)].filter(id => others.every(other => !other.has(id)));
    if (alone.length > 0) found.push(`only in ${registry.name}: ${listed(alone)}`);
  }
  const moved = conflicts(members);
  if (moved.length > 0) found.push(`at different places: ${listed(moved)}`);
  return found.join('; ');
};

const ids = (set: readonly ServiceInstance[] | undefined): Set<string> => new Set((set ?? []).map(({ id }) => id));

/** Ids that are listed with more than one address. */
const conflicts = (members: readonly Followed[]): string[] => {
  const places = new Map<string, string>();
  const moved = new Set<string>();
  for (const instance of members.flatMap(({ set }) => set ?? [])) {
    const place = identityOf(instance);
    if ((places.get(instance.id) ?? place) !== place) moved.add(instance.id);
    places.set(instance.id, place);
  }
  return [...moved];
};

const listed = (names: readonly string[]): string => {
  const more = names.length - MOST_NAMED;
  return `${names.slice(0, MOST_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
};
