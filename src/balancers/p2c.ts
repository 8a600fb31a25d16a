import type { Balancer, BalancerFactory, Candidates } from '../core/balancer.js';
import type { Call } from '../core/call.js';
import type { Endpoint } from '../core/endpoint.js';
import type { Runtime } from '../core/runtime.js';
import { usable, warmthOf, weightOf } from './weight.js';
import { WeightedDraw } from './weighted-draw.js';

/** An endpoint that nobody picked for so long is tried: what is known of it is out of date. */
const FORGOTTEN_MS = 10_000;
/** A success ratio below this makes no further difference: a failing instance costs 20 times its latency. */
const LEAST_SUCCESS = 0.05;

/**
 * Power of two choices with peak EWMA: of two drawn by weight, the one with the lower
 * `latency × (in flight + 1) ÷ success ratio` is picked. The default: it finds slow and failing instances within a few
 * calls, and costs the same for 3 and for 10 000. Sources: Mitzenmacher, "The Power of Two Choices"; Finagle's PeakEwma;
 * the success term and the forced pick are go-zero's and kratos', against instances that fail fast.
 */
export const p2c = (): BalancerFactory => runtime => new PowerOfTwoChoices(runtime);

class PowerOfTwoChoices implements Balancer {
  readonly #runtime: Runtime;
  readonly #draw: WeightedDraw;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.#draw = new WeightedDraw(runtime);
  }

  pick(from: Candidates, call: Call): Endpoint {
    if (from.eligible.length <= 2) return this.#ofFew(from, call);
    const draw = this.#draw;
    draw.pair(from);
    const { first, second, equal } = draw;
    if (!from.allows(first) || !from.allows(second)) return from.allows(first) ? first : draw.allowed(from);
    // Idle ones of different weight are equal, and the draw alone decides; in flight counts by weight, or a light one would
    // be given as many calls at once as a heavy one: more than twice its share.
    const firstCost = cost(first, equal ? 1 : draw.greatest / weightOf(first));
    const secondCost = cost(second, equal ? 1 : draw.greatest / weightOf(second));
    const firstWins = firstCost < secondCost || (firstCost === secondCost && isIdleLonger(first, second));
    return firstWins ? unlessForgotten(first, second, call) : unlessForgotten(second, first, call);
  }

  /** Of two, the random pair would half the time be one and the same: both are compared, by weight too. */
  #ofFew(from: Candidates, call: Call): Endpoint {
    const first = from.eligible[0]!;
    const second = from.eligible[1] ?? first;
    if (!from.allows(first) || !from.allows(second)) return from.allows(first) ? first : this.#draw.allowed(from);
    // Nobody was drawn by weight: one that warms up stands aside in its share of the picks, and else counts in full.
    const lead = warmthOf(first) - warmthOf(second);
    if (lead !== 0) {
      const warmer = lead > 0 ? first : second;
      const colder = lead > 0 ? second : first;
      if (this.#runtime.random() * warmthOf(warmer) >= warmthOf(colder)) return warmer;
    }
    const firstCost = cost(first, 1) / usable(first.instance.weight);
    const secondCost = cost(second, 1) / usable(second.instance.weight);
    const firstWins = firstCost < secondCost || (firstCost === secondCost && isIdleLonger(first, second));
    return firstWins ? unlessForgotten(first, second, call) : unlessForgotten(second, first, call);
  }
}

/** Of two that cost the same. */
const isIdleLonger = (first: Endpoint, second: Endpoint): boolean => first.lastStartedAt <= second.lastStartedAt;

/**
 * The winner; but a loser that nobody asked for so long is asked. It is handed the call and not the time: a number that is
 * passed on is a number on the heap, wherever the compiler does not inline.
 */
const unlessForgotten = (winner: Endpoint, loser: Endpoint, { now }: Call): Endpoint =>
  loser.inFlight === 0 && now - loser.lastStartedAt >= FORGOTTEN_MS ? loser : winner;

/** Nobody measured: 1 ms for all, so that the calls in flight decide. */
const cost = (endpoint: Endpoint, perCall: number): number =>
  ((endpoint.latencyMs || 1) * (endpoint.inFlight * perCall + 1)) / Math.max(endpoint.successRatio, LEAST_SUCCESS);
