import type { Candidates } from '../core/balancer.js';
import type { Endpoint } from '../core/endpoint.js';

/** Endpoints of equal weight, which take turns. */
export interface WeightGroup {
  readonly weight: number;
  readonly endpoints: Endpoint[];
  /** What each one's current was when the group was made, in the order of the turns: the greatest first. */
  readonly leads: Float64Array;
  /** Each one's place in the list of candidates: of equals the first listed is picked. */
  readonly places: Uint32Array;
  /** Whose turn it is. */
  position: number;
}

/** One endpoint and where it stands, as nginx would keep it. */
export interface Standing {
  readonly endpoint: Endpoint;
  readonly place: number;
  readonly weight: number;
  current: number;
}

export const groupByWeight = (standings: readonly Standing[]): WeightGroup[] => {
  const byWeight = new Map<number, Standing[]>();
  for (const standing of standings) {
    const group = byWeight.get(standing.weight);
    if (group === undefined) byWeight.set(standing.weight, [standing]);
    else group.push(standing);
  }
  return [...byWeight].map(([weight, group]) => {
    group.sort((a, b) => b.current - a.current);
    return {
      weight,
      endpoints: group.map(({ endpoint }) => endpoint),
      leads: Float64Array.from(group, ({ current }) => current),
      places: Uint32Array.from(group, ({ place }) => place),
      position: 0,
    };
  });
};

/** How many turns ahead the first allowed endpoint of the group is; -1 if there is none. */
export const firstAllowed = ({ endpoints, position }: WeightGroup, from: Candidates): number => {
  for (let offset = 0; offset < endpoints.length; offset += 1)
    if (from.allows(endpoints[(position + offset) % endpoints.length]!)) return offset;
  return -1;
};

/** Lets the endpoint so many turns ahead change places with the next one; returns by how much its current is greater. */
export const advanceTo = ({ endpoints, leads, places, position }: WeightGroup, offset: number): number => {
  const other = (position + offset) % endpoints.length;
  const lead = leads[other]! - leads[position]!;
  swap(endpoints, position, other);
  swap(leads, position, other);
  swap(places, position, other);
  return lead;
};

const swap = <T>(list: { [index: number]: T }, one: number, other: number): void => {
  const held = list[one]!;
  list[one] = list[other]!;
  list[other] = held;
};
