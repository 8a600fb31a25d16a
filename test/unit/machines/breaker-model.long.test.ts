import { expect, it } from 'vitest';
import { CircuitBreaker, REFUSED } from 'fairlead';
import { seededRandom } from '../../../src/testing/test-runtime.js';

interface Held {
  readonly ticket: number;
  readonly era: number;
}

const POLICY = {
  failureRatio: 0.5,
  minCalls: 5,
  windowMs: 100,
  openMs: 50,
  maxOpenMs: 200,
  probes: 2,
  successesToClose: 3,
};

/** The breaker as one would explain it: every call is kept for ever, and everything is counted anew each time. */
class Model {
  state: 'closed' | 'open' | 'half-open' = 'closed';
  era = 0;
  #since = 0;
  #until = 0;
  #failedTrials = 0;
  #starts: number[] = [];
  #ends: { at: number; failed: boolean }[] = [];
  #inFlight = 0;
  #successes = 0;
  #lastProbe = -Infinity;

  look(now: number): void {
    if (this.state !== 'open' || now < this.#until) return;
    this.#become('half-open', now);
    this.#inFlight = this.#successes = 0;
    this.#lastProbe = -Infinity;
  }

  enter(now: number): boolean {
    this.look(now);
    if (this.state === 'open') return false;
    if (this.state === 'half-open') {
      // Patience with hung probes: a second at least.
      if (this.#inFlight >= POLICY.probes && now - this.#lastProbe < 1_000) return false;
      this.#inFlight += 1;
      this.#lastProbe = now;
    }
    this.#starts.push(now);
    return true;
  }

  leave(era: number, outcome: string, now: number): void {
    if (era !== this.era) return;
    if (this.state === 'half-open') this.#inFlight -= 1;
    if (outcome === 'ignored' || outcome === 'overload') return;
    const failed = outcome === 'failure';
    this.#ends.push({ at: now, failed });
    if (this.state === 'half-open') {
      if (failed) this.#failedTrials += 1;
      else if ((this.#successes += 1) < POLICY.successesToClose) return;
      if (failed) this.open(now);
      else this.close(now);
    } else if (failed) {
      const { calls, failures } = this.counts(now);
      if (calls < POLICY.minCalls || failures / calls < POLICY.failureRatio) return;
      this.#failedTrials = Math.max(0, this.#failedTrials - Math.floor((now - this.#since) / POLICY.windowMs));
      this.open(now);
    }
  }

  counts(now: number): { calls: number; failures: number } {
    const lately = (at: number): boolean => now - at < POLICY.windowMs;
    const ended = this.#ends.filter(({ at }) => lately(at));
    const calls = Math.max(ended.length, this.#starts.filter(lately).length);
    return { calls, failures: ended.filter(({ failed }) => failed).length };
  }

  open(now: number): void {
    if (this.state === 'open') return;
    this.#until = now + Math.min(POLICY.maxOpenMs, POLICY.openMs * 2 ** this.#failedTrials);
    this.#become('open', now);
  }

  close(now: number): void {
    this.#starts = [];
    this.#ends = [];
    this.#become('closed', now);
  }

  byHand(now: number): void {
    this.look(now);
    this.#failedTrials = 0;
    if (this.state !== 'closed') this.close(now);
  }

  #become(state: Model['state'], now: number): void {
    this.state = state;
    this.#since = now;
    this.era += 1;
  }
}

const OUTCOMES = ['success', 'success', 'failure', 'failure', 'overload', 'ignored'] as const;
/** Often right on an edge. */
const STEPS = [0, 0, 0, 1, 1, 7, 49, 50, 51, 99, 100, 101, 1_000];

it.each(Array.from({ length: 40 }, (_, nth) => 1_000 + nth))('does as the model does, seed %i', seed => {
  const random = seededRandom(seed);
  const draw = (below: number): number => Math.floor(random() * below);
  let shown = 5e6;
  let steady = 0;
  const now = (): number => shown;
  const breaker = new CircuitBreaker({ ...POLICY, runtime: { now, wallNow: now } });
  const model = new Model();
  const held: Held[] = [];
  const actions: (() => void)[] = [
    () => {
      const ticket = breaker.enter();
      expect(ticket !== REFUSED).toBe(model.enter(steady));
      if (ticket !== REFUSED) held.push({ ticket, era: model.era });
    },
    () => {
      const [one] = held.splice(draw(held.length), 1);
      if (one === undefined) return;
      const outcome = OUTCOMES[draw(OUTCOMES.length)]!;
      breaker.leave(one.ticket, outcome);
      model.look(steady);
      model.leave(one.era, outcome, steady);
    },
    () => {
      const ms = STEPS[draw(STEPS.length)]!;
      shown += ms;
      steady += ms;
    },
  ];
  const rare: (() => void)[] = [
    () => {
      breaker.open();
      model.look(steady);
      model.open(steady);
    },
    () => {
      breaker.close();
      model.byHand(steady);
    },
    () => (shown -= 3_600_000),
  ];
  const changes: string[] = [];
  for (let step = 0; step < 600; step += 1) {
    (draw(60) === 0 ? rare : actions)[draw(3)]!();
    model.look(steady);
    if (changes.at(-1) !== model.state) changes.push(model.state);
    expect([step, breaker.state, breaker.counts]).toMatchObject([step, model.state, model.counts(steady)]);
  }
  expect(changes.length).toBeGreaterThan(3);
});
