import { describe } from '../core/errors.js';
import type { Runtime } from '../core/runtime.js';
import type { PooledEndpoint } from '../pool/endpoint.js';
import { stallWatch } from '../pool/stall-watch.js';
import type { HealthPolicy } from './health-policy.js';
import type { Probe } from './probe.js';

/** A probe that was late by more than this while our own event loop stood still says nothing about its instance. */
const BLOCKED_MS = 100;

export interface MonitorParts {
  readonly policy: HealthPolicy;
  readonly probe: Probe;
  readonly runtime: Runtime;
  /** A probe failed: an instance that the registry has dropped, and that is only held, need not be waited for. */
  readonly failed: (endpoint: PooledEndpoint) => void;
}

interface Patient {
  readonly endpoint: PooledEndpoint;
  /** Of its next probe, or of what bounds the one that runs. */
  cancel: () => void;
  failures: number;
  successes: number;
  /** Was out already when it was last asked. */
  wasOut: boolean;
}

/**
 * Asks each instance of the set, over and over, whether it is well, and tells its health what it heard. Probes of a fleet
 * are spread over the interval by chance, and no more than `maxConcurrent` run at once; the rest queue. They are no traffic:
 * no balancer, breaker, budget or latency learns of them.
 */
export class HealthMonitor {
  readonly #parts: MonitorParts;
  readonly #patients = new Map<PooledEndpoint, Patient>();
  readonly #queue = new Set<Patient>();
  #running = 0;
  #closed = false;

  constructor(parts: MonitorParts) {
    this.#parts = parts;
  }

  /** The set as it is now: newcomers are asked within one interval, who left is asked no more. */
  update(endpoints: Iterable<PooledEndpoint>): void {
    if (this.#closed) return;
    const { runtime, policy } = this.#parts;
    const left = new Map(this.#patients);
    for (const endpoint of endpoints) {
      if (left.delete(endpoint)) continue;
      const patient: Patient = { endpoint, cancel: () => undefined, failures: 0, successes: 0, wasOut: false };
      this.#patients.set(endpoint, patient);
      this.#askIn(runtime.random() * policy.intervalMs, patient);
    }
    for (const patient of left.values()) this.#dismiss(patient);
  }

  close(): void {
    this.#closed = true;
    for (const patient of this.#patients.values()) this.#dismiss(patient);
  }

  #dismiss(patient: Patient): void {
    this.#patients.delete(patient.endpoint);
    this.#queue.delete(patient);
    patient.cancel();
  }

  #askIn(ms: number, patient: Patient): void {
    patient.cancel = this.#parts.runtime.after(ms, () => this.#ask(patient));
  }

  #ask(patient: Patient): void {
    if (this.#running >= this.#parts.policy.maxConcurrent) this.#queue.add(patient);
    else void this.#examine(patient);
  }

  async #examine(patient: Patient): Promise<void> {
    const { runtime, policy, probe } = this.#parts;
    const stalls = stallWatch(runtime);
    const startedAt = runtime.now();
    const controller = new AbortController();
    const cancelTimer = runtime.after(policy.timeoutMs, () =>
      controller.abort(new Error(`no answer within ${policy.timeoutMs} ms`)),
    );
    patient.cancel = () => controller.abort(new Error('no longer asked'));
    this.#running += 1;
    stalls.began(startedAt);
    let failure: string | undefined;
    try {
      await probe(patient.endpoint, controller.signal);
    } catch (error) {
      failure = describe(error);
    }
    cancelTimer();
    stalls.ended();
    this.#running -= 1;
    const now = runtime.now();
    const blocked = stalls.longestMs(startedAt, now) > BLOCKED_MS;
    if (this.#patients.get(patient.endpoint) === patient) {
      if (failure === undefined || !blocked) this.#heard(patient, failure, now);
      // Jittered anew each time, so that what came together by chance does not stay together.
      this.#askIn(policy.intervalMs * (0.9 + 0.2 * runtime.random()), patient);
    }
    this.#next();
  }

  #next(): void {
    for (const patient of this.#queue) {
      this.#queue.delete(patient);
      return void this.#examine(patient);
    }
  }

  #heard(patient: Patient, failure: string | undefined, now: number): void {
    const { policy, failed } = this.#parts;
    const { health } = patient.endpoint;
    // What it answered before it fell ill is no sign that it is well again.
    if (health.kind === 'out' && !patient.wasOut) patient.successes = 0;
    if (failure === undefined) {
      patient.failures = 0;
      patient.successes += 1;
      if (patient.successes >= policy.upAfter) health.checksPassed(now);
    } else {
      patient.successes = 0;
      patient.failures += 1;
      failed(patient.endpoint);
      if (patient.failures >= policy.downAfter)
        health.checksFailed(`${patient.failures} health checks failed: ${failure}`, now);
    }
    patient.wasOut = health.kind === 'out';
  }
}
