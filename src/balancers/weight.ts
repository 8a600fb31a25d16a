import type { Endpoint } from '../core/endpoint.js';

/** A greater weight counts as this: sums of weights stay exact enough to be compared. */
const GREATEST = 1e12;

/** The weight to reckon with: 0 for what is no weight (0, negative, NaN), so that it takes no traffic. */
export const usable = (weight: number): number => (weight > 0 ? Math.min(weight, GREATEST) : 0);

/** The share of its own weight that slow start leaves it, 0–1; 0 for what has no weight. */
export const warmthOf = (endpoint: Endpoint): number => {
  const full = usable(endpoint.instance.weight);
  return full > 0 ? Math.min(weightOf(endpoint) / full, 1) : 0;
};

/** As it applies now, slow start included. */
export const weightOf = (endpoint: Endpoint): number => usable(endpoint.weight);
