import type { Happening } from '../core/events.js';
import type { Guarded } from '../core/guard.js';
import { Alarm } from './alarm.js';
import type { DiscoveredSet } from './discovered-set.js';
import { Observers, type ServiceObserver } from './observers.js';
import type { DiscoverySettings } from './options.js';
import { Picker } from './picker.js';
import { ServiceWatch } from './service-watch.js';
import type { SnapshotFile } from './snapshot-file.js';

export interface TenancyParts {
  readonly service: string;
  readonly settings: DiscoverySettings;
  readonly snapshot: SnapshotFile | undefined;
  /** Runs what subscribers gave. */
  readonly guarded: Guarded;
  readonly happened: (happening: Happening) => void;
  /** Nobody uses the service any more. */
  readonly vacated: () => void;
}

/**
 * Who uses a service's watch, and for how long: subscribers as long as they stay, callers that wait until they know,
 * and lookups without a subscription for `ttlMs` after the last.
 */
export class Tenancy {
  readonly watch: ServiceWatch;
  readonly picker: Picker;
  readonly #parts: TenancyParts;
  readonly #observers: Observers;
  readonly #leaseEnd: Alarm;
  #usedAt = -Infinity;

  constructor(parts: TenancyParts) {
    const { service, settings, snapshot, guarded, happened } = parts;
    this.#parts = parts;
    this.picker = new Picker(service, settings.runtime);
    this.#observers = new Observers(guarded);
    this.#leaseEnd = new Alarm(settings.runtime, () => this.#review());
    this.watch = new ServiceWatch({
      service,
      settings,
      snapshot,
      changed: set => this.#observers.changed(set),
      happened: happening => {
        this.#observers.happened(happening);
        happened(happening);
      },
    });
  }

  subscribe(observer: ServiceObserver): () => void {
    const leave = this.#observers.add(observer);
    const { set } = this.watch;
    if (set !== undefined) this.#observers.welcome(observer, set);
    return () => {
      leave();
      this.#review();
    };
  }

  /** A lookup: it keeps the watch for `ttlMs`. */
  use(): void {
    this.#usedAt = this.#parts.settings.runtime.now();
  }

  async known(signal: AbortSignal | undefined): Promise<DiscoveredSet> {
    const mayLinger = this.#observers.size === 0;
    if (mayLinger) this.use();
    try {
      return await this.watch.known(signal);
    } finally {
      // The wait may have been longer than the time it is kept for.
      if (mayLinger) this.use();
      this.#review();
    }
  }

  /** Resolves when the registry has ended the watch. */
  end(reason: unknown): Promise<void> {
    this.#leaseEnd.close();
    return this.watch.stop(reason);
  }

  #review(): void {
    if (this.#observers.size > 0 || this.watch.waiting > 0) return;
    const until = this.#usedAt + this.#parts.settings.ttlMs;
    if (this.#parts.settings.runtime.now() >= until) this.#parts.vacated();
    // One timer, not one for each lookup: it looks again when it wakes.
    else if (!this.#leaseEnd.pending) this.#leaseEnd.set(until);
  }
}
