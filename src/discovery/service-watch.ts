import type { Happening } from '../core/events.js';
import type { ServiceInstance } from '../core/instance.js';
import { Alarm } from './alarm.js';
import { Contact } from './contact.js';
import { changeBetween, type DiscoveredSet, type DiscoveryStatus } from './discovered-set.js';
import { HoldReview } from './hold-review.js';
import { Intake } from './intake.js';
import { LossProtection } from './loss-protection.js';
import { nothingKnown } from './nothing-known.js';
import type { DiscoverySettings } from './options.js';
import { Waiters } from './waiters.js';
import { WatchLoop } from './watch-loop.js';

export interface ServiceWatchParts {
  readonly service: string;
  readonly settings: DiscoverySettings;
  /** The set differs from the one before. */
  changed(set: DiscoveredSet): void;
  happened(happening: Happening): void;
}

/**
 * What is known of one service: joins the watch, the loss protection and the age of the set. It knows nothing of who
 * uses it or for how long.
 */
export class ServiceWatch {
  readonly #parts: ServiceWatchParts;
  readonly #loop: WatchLoop;
  readonly #intake: Intake;
  readonly #waiters: Waiters<DiscoveredSet>;
  readonly #contact = new Contact();
  readonly #staleness: Alarm;
  #protection: LossProtection;
  #review: HoldReview;
  #set: DiscoveredSet | undefined;

  constructor(parts: ServiceWatchParts) {
    const { service, settings } = parts;
    const { registry, runtime } = settings;
    this.#parts = parts;
    this.#intake = new Intake(settings, problem =>
      parts.happened({ type: 'registry.problem', registry: registry.name, problem }),
    );
    this.#waiters = new Waiters(runtime);
    this.#staleness = new Alarm(runtime, () => this.#giveUp());
    this.#protection = new LossProtection(settings);
    this.#review = this.#newReview();
    this.#loop = new WatchLoop({
      service,
      registry,
      runtime,
      received: value => this.#received(value),
      lost: (error, retryInMs) => this.#lost(error, retryInMs),
      report: this.#intake.report,
    });
  }

  /** `undefined` until a set is known, and after the last one was given up. */
  get set(): DiscoveredSet | undefined {
    return this.#set?.unknown === undefined ? this.#set : undefined;
  }

  get waiting(): number {
    return this.#waiters.size;
  }

  get status(): DiscoveryStatus {
    const known = this.set;
    return {
      known: known !== undefined,
      count: known?.instances.length ?? 0,
      held: known?.held.size ?? 0,
      ageMs: this.#contact.ageMs(this.#parts.settings.runtime.now()),
      stale: known !== undefined && !this.#contact.connected,
      problems: this.#intake.problems,
    };
  }

  /** Resolves with the set; rejects after `firstTimeoutMs`, saying what was tried, while the watch goes on trying. */
  async known(signal: AbortSignal | undefined): Promise<DiscoveredSet> {
    signal?.throwIfAborted();
    const { firstTimeoutMs } = this.#parts.settings;
    return this.set ?? this.#waiters.wait({ withinMs: firstTimeoutMs, expired: () => this.#explain(), signal });
  }

  refused(instance: ServiceInstance): void {
    if (this.#protection.refused(instance)) this.#publish();
  }

  /** Resolves when the registry has ended the watch. */
  stop(reason: unknown): Promise<void> {
    this.#loop.stop();
    this.#staleness.close();
    this.#review.close();
    this.#waiters.rejectAll(reason);
    return this.#loop.ended;
  }

  #received(value: unknown): boolean {
    const { registry, runtime } = this.#parts.settings;
    const instances = this.#intake.parse(value);
    if (instances === undefined) return false;
    const now = runtime.now();
    const listedBefore = (this.#set?.instances.length ?? 0) - (this.#set?.held.size ?? 0);
    const lostForMs = this.#contact.restored(now);
    this.#staleness.set(Infinity);
    const lost = this.#protection.listed(instances, now);
    this.#publish();
    if (lostForMs !== undefined)
      this.#parts.happened({ type: 'registry.restored', registry: registry.name, afterMs: lostForMs });
    if (lost.length > 0) {
      const reason = `${registry.name} dropped ${lost.length} of ${listedBefore} instances at once`;
      this.#parts.happened({ type: 'instances.held', held: lost.map(({ id }) => id), reason });
    }
    return true;
  }

  #lost(error: unknown, retryInMs: number): void {
    const { registry, runtime, maxStaleMs } = this.#parts.settings;
    const first = this.#contact.lost(error, runtime.now());
    if (this.set !== undefined) this.#staleness.set(this.#contact.at + maxStaleMs);
    if (first)
      this.#parts.happened({ type: 'registry.lost', registry: registry.name, error, retryInMs: Math.ceil(retryInMs) });
  }

  #publish(): void {
    const set: DiscoveredSet = { instances: this.#protection.members, held: this.#protection.held };
    this.#review.schedule();
    this.#replace(set);
    this.#waiters.resolveAll(set);
  }

  #replace(set: DiscoveredSet): void {
    const change = changeBetween(this.#set, set);
    if (change === undefined) return;
    const { added, removed } = change;
    const news = this.#set?.unknown !== set.unknown || added.length + removed.length > 0 || this.#set === undefined;
    this.#set = Object.freeze(set);
    this.#parts.changed(set);
    if (news) this.#parts.happened({ type: 'instances.changed', known: set.instances.length, added, removed });
  }

  /** Nothing was heard for maxStaleMs: the addresses may belong to somebody else by now. */
  #giveUp(): void {
    const { registry, maxStaleMs } = this.#parts.settings;
    this.#review.close();
    this.#protection = new LossProtection(this.#parts.settings);
    this.#review = this.#newReview();
    const unknown = `the last set was given up after ${maxStaleMs} ms without contact to ${registry.name}`;
    this.#replace({ instances: [], held: new Set(), unknown });
  }

  #newReview(): HoldReview {
    const { registry, runtime, firstTimeoutMs } = this.#parts.settings;
    return new HoldReview({
      service: this.#parts.service,
      registry,
      runtime,
      protection: this.#protection,
      readTimeoutMs: firstTimeoutMs,
      parse: this.#intake.parse,
      reviewed: changed => this.#reviewed(changed),
      report: this.#intake.report,
    });
  }

  /** A read is contact too, though the watch may be down. */
  #reviewed(changed: boolean): void {
    const { runtime, maxStaleMs } = this.#parts.settings;
    this.#contact.heard(runtime.now());
    if (!this.#contact.connected) this.#staleness.set(this.#contact.at + maxStaleMs);
    if (changed) this.#publish();
  }

  #explain(): Error {
    const { service, settings } = this.#parts;
    return nothingKnown({
      service,
      registry: settings.registry.name,
      afterMs: settings.firstTimeoutMs,
      tries: this.#loop.tries,
      unknown: this.#set?.unknown,
      outage: this.#contact.outage,
    });
  }
}
