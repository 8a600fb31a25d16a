import type { Balancer, Candidates } from '../core/balancer.js';
import type { Endpoint } from '../core/endpoint.js';
import type { Outcome } from '../core/outcome.js';
import { check } from './contract-case.js';
import { testCall, testCandidates, testEndpoint, type TestEndpoint } from './test-fleet.js';
import { seededRandom } from './test-runtime.js';

const OUTCOMES: readonly Outcome[] = ['success', 'failure', 'overload', 'ignored'];

/** A pool without reason: endpoints come, go, fall ill and change weight while calls are in flight. */
class Chaos {
  readonly #balancer: Balancer;
  readonly #random: () => number;
  #members: TestEndpoint[] = [];
  #out = new Set<TestEndpoint>();
  #inFlight: TestEndpoint[] = [];
  #from: Candidates;
  #version = 0;
  #names = 0;
  #now = 0;

  constructor(balancer: Balancer, seed: number) {
    this.#balancer = balancer;
    this.#random = seededRandom(seed);
    for (let count = 0; count < 8; count += 1) this.#join();
    this.#from = this.#candidates();
  }

  get eligible(): readonly Endpoint[] {
    return this.#from.eligible;
  }

  step(): void {
    const dice = this.#random();
    this.#now += 1;
    if (dice < 0.5) this.start();
    else if (dice < 0.95) this.end();
    else this.#change();
  }

  /** One attempt of a call that may have tried others; returns whom it went to. */
  start(): Endpoint {
    const tried = this.#random() < 0.8 ? [] : [this.#any(this.#from.eligible)];
    const from = tried.length === 0 ? this.#from : this.#candidates(tried);
    const hashKey = this.#random() < 0.8 ? `key ${Math.floor(this.#random() * 1e6)}` : undefined;
    const picked = this.#balancer.pick(from, testCall({ now: this.#now, hashKey })) as TestEndpoint;
    check(from.eligible.includes(picked), 'picked one that may not serve');
    check(
      from.allows(picked) || !from.eligible.some(endpoint => from.allows(endpoint)),
      'picked one that was tried, though others were not',
    );
    picked.inFlight += 1;
    picked.lastStartedAt = this.#now;
    this.#inFlight.push(picked);
    this.#balancer.started?.(picked);
    return picked;
  }

  end(): void {
    const [endpoint] = this.#inFlight.splice(Math.floor(this.#random() * this.#inFlight.length), 1);
    if (endpoint === undefined) return;
    endpoint.inFlight -= 1;
    this.#balancer.settled?.(endpoint, this.#any(OUTCOMES), Math.floor(this.#random() * 100));
  }

  endAll(): void {
    while (this.#inFlight.length > 0) this.end();
  }

  #change(): void {
    const dice = this.#random();
    const endpoint = this.#any(this.#members);
    if (dice < 0.2) this.#join();
    else if (dice < 0.4 && this.#members.length > 3) this.#members = this.#members.filter(other => other !== endpoint);
    else if (dice < 0.6) endpoint.weight = endpoint.instance.weight * (1 + Math.floor(this.#random() * 10)) * 0.1;
    else if (dice < 0.8) this.#out.add(endpoint);
    else this.#out.delete(endpoint);
    this.#from = this.#candidates();
  }

  #join(): void {
    const weight = 1 + Math.floor(this.#random() * 3);
    this.#names += 1;
    this.#members = [...this.#members, testEndpoint(`i${this.#names}`, { weight })];
  }

  #candidates(tried: readonly Endpoint[] = []): Candidates {
    const healthy = this.#members.filter(endpoint => !this.#out.has(endpoint));
    if (tried.length === 0) this.#version += 1;
    const eligible = tried.length > 0 ? this.#from.eligible : healthy.length > 0 ? healthy : this.#members;
    return testCandidates(this.#members, { eligible, tried, version: this.#version });
  }

  #any<T>(of: readonly T[]): T {
    return of[Math.floor(this.#random() * of.length)]!;
  }
}

/** Throws if the balancer does not keep its promises meanwhile, or starves somebody afterwards. */
export const goesOnInChaos = (balancer: Balancer, seed: number): void => {
  const chaos = new Chaos(balancer, seed);
  for (let steps = 0; steps < 1_000; steps += 1) chaos.step();
  chaos.endAll();
  const picked = new Set<Endpoint>();
  for (let calls = 0; calls < 200 * chaos.eligible.length; calls += 1) {
    picked.add(chaos.start());
    chaos.end();
  }
  const starved = chaos.eligible.filter(endpoint => !picked.has(endpoint));
  check(starved.length === 0, `${starved.length} of ${chaos.eligible.length} got nothing afterwards (seed ${seed})`);
};
