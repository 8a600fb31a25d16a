import type { Happening } from '../core/events.js';
import type { ServiceInstance } from '../core/instance.js';
import { Alarm } from './alarm.js';
import { ColdStart } from './cold-start.js';
import { Contact } from './contact.js';
import { changeBetween, statusOf, type DiscoveredSet, type DiscoveryStatus } from './discovered-set.js';
import { Holding } from './holding.js';
import { Intake } from './intake.js';
import { nothingKnown } from './nothing-known.js';
import type { DiscoverySettings } from './options.js';
import type { SnapshotFile, SnapshotSource } from './snapshot-file.js';
import { Waiters } from './waiters.js';
import { WatchLoop } from './watch-loop.js';

export interface ServiceWatchParts {
  readonly service: string;
  readonly settings: DiscoverySettings;
  /** Where the last good set is kept for a cold start. */
  readonly snapshot: SnapshotFile | undefined;
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
  readonly #holding: Holding;
  readonly #coldStart: ColdStart | undefined;
  #set: DiscoveredSet | undefined;
  /** The set is of an earlier process: whom the registry names takes its place, whatever it lacks. */
  #recalled = false;

  constructor(parts: ServiceWatchParts) {
    const { service, settings, snapshot: file } = parts;
    const { registry, runtime } = settings;
    this.#parts = parts;
    this.#intake = new Intake(settings, problem =>
      parts.happened({ type: 'registry.problem', registry: registry.name, problem }),
    );
    this.#waiters = new Waiters(runtime);
    this.#staleness = new Alarm(runtime, () => this.#giveUp());
    const { parse, report } = this.#intake;
    this.#holding = new Holding({ service, settings, parse, report, reviewed: changed => this.#reviewed(changed) });
    const source = { service, report, current: this.#current };
    this.#coldStart = file && new ColdStart({ file, source, ...settings, recalled: this.#recall });
    this.#loop = new WatchLoop({
      service,
      registry,
      runtime,
      received: value => this.#received(value),
      lost: (error, retryInMs) => this.#lost(error, retryInMs),
      report,
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
    const { problems } = this.#intake;
    return statusOf(this.set, { contact: this.#contact, now: this.#parts.settings.runtime.now(), problems });
  }

  /** Resolves with the set; rejects after `firstTimeoutMs`, saying what was tried, while the watch goes on trying. */
  async known(signal: AbortSignal | undefined): Promise<DiscoveredSet> {
    signal?.throwIfAborted();
    const withinMs = this.#parts.settings.firstTimeoutMs;
    return this.set ?? this.#waiters.wait({ withinMs, expired: () => this.#explain(), signal });
  }

  refused(instance: ServiceInstance): void {
    if (this.#holding.protection.refused(instance)) this.#publish();
  }

  /** Resolves when the registry has ended the watch. */
  stop(reason: unknown): Promise<void> {
    this.#loop.stop();
    this.#coldStart?.close();
    this.#staleness.close();
    this.#holding.close();
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
    this.#coldStart?.over();
    if (this.#recalled && instances.length > 0) {
      this.#recalled = false;
      this.#holding.forget();
    }
    const lost = this.#holding.protection.listed(instances, now);
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
    else this.#coldStart?.failed();
    if (first)
      this.#parts.happened({ type: 'registry.lost', registry: registry.name, error, retryInMs: Math.ceil(retryInMs) });
  }

  #publish(): void {
    const { members, held } = this.#holding.protection;
    const set: DiscoveredSet = { instances: members, held };
    this.#holding.schedule();
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
    this.#parts.snapshot?.changed();
    if (news) this.#parts.happened({ type: 'instances.changed', known: set.instances.length, added, removed });
  }

  /** Nothing was heard for maxStaleMs: the addresses may belong to somebody else by now. */
  #giveUp(): void {
    const { registry, maxStaleMs } = this.#parts.settings;
    this.#recalled = false;
    this.#holding.forget();
    const unknown = `the last set was given up after ${maxStaleMs} ms without contact to ${registry.name}`;
    this.#replace({ instances: [], held: new Set(), unknown });
  }

  /** The registry has said nothing yet, and the file has a set. */
  readonly #recall = (found: readonly unknown[], ageMs: number): boolean => {
    const { runtime, maxStaleMs } = this.#parts.settings;
    const now = runtime.now();
    const instances = this.#intake.parse(found);
    if (!instances?.length || ageMs >= maxStaleMs) return false;
    this.#recalled = true;
    this.#contact.remembered(now - ageMs);
    this.#staleness.set(now - ageMs + maxStaleMs);
    this.#holding.protection.listed(instances, now);
    this.#publish();
    return true;
  };

  /** What is worth keeping for the next process. */
  readonly #current: SnapshotSource['current'] = () => {
    const ageMs = this.#contact.ageMs(this.#parts.settings.runtime.now());
    return this.set && ageMs !== undefined ? { instances: this.set.instances, ageMs } : undefined;
  };

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
