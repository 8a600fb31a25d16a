import { guard } from '../../core/guard.js';
import type { Registration, RegistrationEvent } from '../../core/registry.js';
import type { Runtime } from '../../core/runtime.js';

type Listener = (cause?: unknown) => void;

/**
 * How a registration stands, and who wants to hear of it. One timer, so that a loss is told on time even while a
 * request hangs.
 *
 *                 ttlMs without confirm(), or lose()
 *     registered ───────────────────────────────────▶ lost
 *         │   ▲                                       │  │
 *         │   └─────────────── confirm() ─────────────┘  │
 *         └───────────────────▶ closed ◀─────────────────┘
 */
export class Standing {
  readonly #runtime: Runtime;
  readonly #ttlMs: number;
  readonly #late: () => unknown;
  readonly #listeners: Readonly<Record<RegistrationEvent, Set<Listener>>> = {
    lost: new Set(),
    restored: new Set(),
    error: new Set(),
  };
  #state: Registration['state'] = 'registered';
  #disarm: () => void = () => undefined;

  /** @param late makes the cause of a loss by silence */
  constructor(runtime: Runtime, ttlMs: number, late: () => unknown) {
    this.#runtime = runtime;
    this.#ttlMs = ttlMs;
    this.#late = late;
  }

  get state(): Registration['state'] {
    return this.#state;
  }

  on(type: RegistrationEvent, listener: Listener): () => void {
    const those = Object.hasOwn(this.#listeners, type) ? this.#listeners[type] : undefined;
    if (those === undefined) throw new TypeError(`on: expected lost, restored or error, got ${String(type)}`);
    // A function of its own: a listener that was added twice is removed once.
    const entry: Listener = cause => listener(cause);
    those.add(entry);
    return () => void those.delete(entry);
  }

  /** The registry has the entry, as of now. */
  confirm(): void {
    if (this.#state === 'closed') return;
    this.#disarm();
    this.#disarm = this.#runtime.after(this.#ttlMs, () => this.lose(this.#late()));
    if (this.#state !== 'lost') return;
    this.#state = 'registered';
    this.#tell('restored');
  }

  lose(cause: unknown): void {
    if (this.#state !== 'registered') return;
    this.#state = 'lost';
    this.#tell('lost', cause);
  }

  fail(error: unknown): void {
    this.#tell('error', error);
  }

  close(): void {
    this.#state = 'closed';
    this.disarm();
  }

  disarm(): void {
    this.#disarm();
  }

  #tell(type: RegistrationEvent, cause?: unknown): void {
    for (const listener of [...this.#listeners[type]]) guarded(() => listener(cause));
  }
}

/** A listener with a fault must not fail the registration, nor keep the next one from being told. */
const guarded = guard('a listener of a registration');
