import type { Balancer, BalancerFactory, Candidates } from '../core/balancer.js';
import type { Call } from '../core/call.js';
import type { Endpoint } from '../core/endpoint.js';
import type { Runtime } from '../core/runtime.js';
import { WeightedDraw } from './weighted-draw.js';

/** An endpoint that nobody picked for so long is tried: what is known of it is out of date. */
const FORGOTTEN_MS = 10_000;
/** A success ratio below this makes no further difference: a failing instance costs 20 times its latency. */
const LEAST_SUCCESS = 0.05;
const MAX_REDRAWS = 4;

/**
 * Power of two choices with peak EWMA: of two drawn by weight, the one with the lower
 * `latency × (in flight + 1) ÷ success ratio` is picked. The default: it finds slow and failing instances within a few
 * calls, and costs the same for 3 and for 10 000. Sources: Mitzenmacher, "The Power of Two Choices"; Finagle's PeakEwma;
 * the success term and the forced pick are go-zero's and kratos', against instances that fail fast.
 */
export const p2c = (): BalancerFactory => runtime => new PowerOfTwoChoices(runtime);

class PowerOfTwoChoices implements Balancer {
  readonly #draw: WeightedDraw;

  constructor(runtime: Runtime) {
    this.#draw = new WeightedDraw(runtime);
  }

  pick(from: Candidates, call: Call): Endpoint {
    const { eligible } = from;
    if (eligible.length > 2) {
      const first = this.#draw.allowed(from);
      return better(first, this.#another(from, first), { byWeight: false, now: call.now });
    }
    // Of two, the random pair would half the time be one and the same: both are compared, by weight too.
    const first = eligible[0]!;
    const second = eligible[1] ?? first;
    if (!from.allows(second)) return first;
    if (!from.allows(first)) return second;
    return better(first, second, { byWeight: true, now: call.now });
  }

  #another(from: Candidates, first: Endpoint): Endpoint {
    let drawn = this.#draw.allowed(from);
    for (let redraws = 0; redraws < MAX_REDRAWS && drawn === first; redraws += 1) drawn = this.#draw.allowed(from);
    return drawn;
  }
}

const better = (first: Endpoint, second: Endpoint, { byWeight, now }: { byWeight: boolean; now: number }): Endpoint => {
  const firstCost = byWeight ? cost(first) / first.weight : cost(first);
  const secondCost = byWeight ? cost(second) / second.weight : cost(second);
  const firstWins = firstCost < secondCost || (firstCost === secondCost && first.lastStartedAt <= second.lastStartedAt);
  const winner = firstWins ? first : second;
  const loser = firstWins ? second : first;
  return loser.inFlight === 0 && now - loser.lastStartedAt >= FORGOTTEN_MS ? loser : winner;
};

/** Nobody measured: 1 ms for all, so that the calls in flight decide. */
const cost = (endpoint: Endpoint): number =>
  ((endpoint.latencyMs || 1) * (endpoint.inFlight + 1)) / Math.max(endpoint.successRatio, LEAST_SUCCESS);
