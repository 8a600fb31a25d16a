import type { Call } from '../core/call.js';
import { refused, type FairleadError } from '../core/errors.js';
import type { Emitter } from '../core/events.js';
import type { Verdict } from '../core/outcome.js';
import type { Runtime } from '../core/runtime.js';
import type { Guard } from '../layers/guarded.js';
import type { BreakerPolicy } from '../machines/breaker-rules.js';
import type { BreakerChange, BreakerKind } from '../machines/breaker-state.js';
import { FedOpossum } from './fed-opossum.js';
import type { OpossumBreaker } from './opossum-breaker.js';

export interface ServiceBreakerParts {
  readonly service: string;
  readonly policy: BreakerPolicy;
  readonly runtime: Runtime;
  readonly events: Emitter;
  /** Does a part of the service work, although the failure ratio says that the service does not? */
  readonly works: () => boolean;
}

/** The circuit breaker of a client at one moment. */
export interface BreakerSnapshot {
  /** `open` refuses every attempt; `half-open` lets a few through, to see. */
  readonly state: BreakerKind;
  /** In this state since so long, ms. */
  readonly forMs: number;
  /** When attempts are admitted again, in ms from now; 0 unless it is open. */
  readonly availableInMs: number;
  /** Why it is open; null when it is not. */
  readonly reason: string | null;
  /** Attempts of the window, since it closed last. */
  readonly calls: number;
  readonly failures: number;
  /** `failures` ÷ `calls`, 0–1; 0 without calls. */
  readonly failureRatio: number;
}

/** The ticket of an attempt that passed while the breaker was disabled: it is not counted. */
const UNCOUNTED = 2 ** 30;

/** The service's breaker as the pipeline sees it: whether an attempt may be made, and how it ended. */
export class ServiceBreaker implements Guard {
  readonly #opossum: FedOpossum;
  readonly #events: Emitter;
  readonly #policy: BreakerPolicy;
  /** Opossum knows an error. */
  #told = false;

  constructor({ events, ...parts }: ServiceBreakerParts) {
    this.#policy = parts.policy;
    this.#events = events;
    this.#opossum = new FedOpossum({ ...parts, changed: change => this.#changed(change) });
  }

  /** What users get as `client.breaker`. */
  get handle(): OpossumBreaker {
    return this.#opossum as unknown as OpossumBreaker;
  }

  enter(now: number): number {
    return this.#opossum.enabled ? this.#opossum.machine.enter(now) : UNCOUNTED;
  }

  failed(error: unknown): void {
    this.#told = true;
    this.#opossum.about(error);
  }

  leave(ticket: number, verdict: Verdict, now: number): void {
    if (ticket !== UNCOUNTED) this.#opossum.machine.leave(ticket, verdict, now);
    // Of an attempt that was not counted it must not stand for the next one.
    if (this.#told) this.#opossum.about(undefined);
    this.#told = false;
  }

  refusal({ service, now }: Call): FairleadError {
    const { state, availableInMs, reason } = this.#opossum.machine.remember(now);
    const retryAfterMs = state === 'open' && availableInMs !== null ? Math.ceil(availableInMs) : undefined;
    const message =
      retryAfterMs === undefined
        ? `${service}: circuit half-open, ${this.#policy.probes} probes in flight`
        : `${service}: circuit open, retry in ${retryAfterMs} ms (${reason})`;
    const error = refused('CIRCUIT_OPEN', message, { service, retryAfterMs });
    this.#opossum.rejected(error);
    return error;
  }

  snapshot(now: number): BreakerSnapshot {
    const { machine } = this.#opossum;
    const { calls, failures } = machine.counts(now);
    const { state, forMs, availableInMs, reason } = machine.remember(now);
    const failureRatio = calls === 0 ? 0 : Math.round((failures / calls) * 1_000) / 1_000;
    const inMs = Math.ceil(availableInMs ?? Infinity);
    return { state, forMs: Math.round(forMs), availableInMs: inMs, reason, calls, failures, failureRatio };
  }

  /** Ends opossum's listeners. Idempotent. */
  close(): void {
    if (!this.#opossum.isShutdown) this.#opossum.shutdown();
  }

  #changed({ to, reason, ms }: BreakerChange): void {
    if (to === 'open') this.#events.emit?.({ type: 'breaker.opened', reason, forMs: ms });
    else if (to === 'half-open') this.#events.emit?.({ type: 'breaker.half-opened', afterMs: ms });
    else this.#events.emit?.({ type: 'breaker.closed', reason, afterMs: ms });
  }
}
