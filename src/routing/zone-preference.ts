import type { CandidateSet } from '../pool/candidates.js';
import type { Selection } from '../pool/selection.js';
import { isFit } from './ladder.js';
import { inZone, selectionOf } from './selector.js';

/** Prefers instances near by. Plain data. */
export interface ZonePolicy {
  /** Where this process runs. */
  readonly own: string;
  readonly minInstances: number;
  readonly minLocal: number;
  readonly callersRatio: number | undefined;
}

/** How calls are shared out over zones, as long as a set stays as it is. */
interface Plan {
  readonly version: number;
  /** Share of calls that stay in the own zone, 0–1; NaN: no preference. */
  readonly localRatio: number;
  /** Where the others go: parts of 1 − localRatio. */
  readonly spill: readonly { readonly zone: string; readonly ratio: number }[];
}

const NO_PREFERENCE = { localRatio: NaN, spill: [] };

/**
 * Calls stay in the zone of their caller as far as its instances can carry what comes from there; what is too much goes to
 * zones that have some to spare. Envoy's zone-aware routing, with its minimum size and Ribbon's minimum of local instances;
 * where Envoy knows how callers are spread over zones, here they are taken to be spread evenly.
 */
export class ZonePreference {
  readonly policy: ZonePolicy;
  readonly #plans = new WeakMap<CandidateSet, Plan>();

  constructor(policy: ZonePolicy) {
    this.policy = policy;
  }

  /** NaN: none. */
  localRatio(set: CandidateSet): number {
    return this.#planFor(set).localRatio;
  }

  /**
   * The part of a rung that a call at `point` (0–1) goes to; the whole rung where there is no preference.
   * `point` is asked for only where some calls leave the zone.
   */
  narrow(rung: Selection, set: CandidateSet, point: () => number): Selection {
    const { localRatio, spill } = this.#planFor(set);
    if (Number.isNaN(localRatio)) return rung;
    if (localRatio === 1) return within(rung, this.policy.own);
    let left = point();
    if (left < localRatio) return within(rung, this.policy.own);
    left -= localRatio;
    for (const { zone, ratio } of spill) if ((left -= ratio) < 0) return within(rung, zone);
    return rung;
  }

  #planFor(set: CandidateSet): Plan {
    const known = this.#plans.get(set);
    if (known?.version === set.version) return known;
    const plan = { ...this.#plan(set), version: set.version };
    this.#plans.set(set, plan);
    return plan;
  }

  #plan(set: CandidateSet): Omit<Plan, 'version'> {
    const { own, minInstances, minLocal } = this.policy;
    const local = set.eligible.filter(({ instance }) => instance.zone === own).length;
    if (!isFit(set) || set.members.length < minInstances || local < minLocal) return NO_PREFERENCE;
    const weights = weightsByZone(set);
    const named = [...weights.keys()].filter(zone => zone !== '').length;
    const callers = this.policy.callersRatio ?? 1 / named;
    const capacity = weights.get(own)!;
    if (capacity >= callers) return { localRatio: 1, spill: [] };
    // What a zone has beyond what its own callers need. Those that name no zone have no callers.
    const elsewhere = named > 1 ? (1 - callers) / (named - 1) : 0;
    const spare = [...weights].flatMap(([zone, share]) => {
      const residual = share - (zone === '' ? 0 : elsewhere);
      return zone === own || residual <= 0 ? [] : [{ zone, residual }];
    });
    const total = spare.reduce((sum, { residual }) => sum + residual, 0);
    const localRatio = capacity / callers;
    return {
      localRatio,
      spill: spare.map(({ zone, residual }) => ({ zone, ratio: ((1 - localRatio) * residual) / total })),
    };
  }
}

/** Shares of what can serve now. Each zone of a member counts, also where nobody is well: its callers are still there. */
const weightsByZone = ({ members, eligible }: CandidateSet): ReadonlyMap<string, number> => {
  const weights = new Map<string, number>();
  for (const { instance } of members) weights.set(instance.zone ?? '', 0);
  let total = 0;
  for (const { instance, weight } of eligible) {
    const zone = instance.zone ?? '';
    weights.set(zone, weights.get(zone)! + weight);
    total += weight;
  }
  for (const [zone, weight] of weights) weights.set(zone, weight / total);
  return weights;
};

const narrowed = new WeakMap<Selection, Map<string, Selection>>();

const within = (rung: Selection, zone: string): Selection => {
  let zones = narrowed.get(rung);
  if (zones === undefined) narrowed.set(rung, (zones = new Map<string, Selection>()));
  let selection = zones.get(zone);
  if (selection === undefined) zones.set(zone, (selection = both(rung, zone)));
  return selection;
};

const both = (rung: Selection, zone: string): Selection => {
  const there = selectionOf([inZone(zone)]);
  const key = rung.key === '' ? there.key : `${rung.key}, ${there.key}`;
  return { key, selects: instance => rung.selects(instance) && there.selects(instance) };
};
