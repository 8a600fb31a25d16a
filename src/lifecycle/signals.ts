import type { Runtime } from '../core/runtime.js';
import type { Host } from './host.js';

/** A service that wants to be stopped by signals. */
export interface Signalled {
  readonly signals: readonly NodeJS.Signals[];
  /** Whether the process ends then; `undefined`: unless others listen to the signal too. */
  readonly exit: boolean | undefined;
  readonly runtime: Runtime;
  /** Resolves with the code that the process should end with. */
  stop(): Promise<number>;
}

/** `npm` and the like pass on what the terminal has sent to all: one Ctrl-C, two signals. */
const SAME_MS = 50;
/** A process that has nothing more to do ends by itself before that, with all its output written. */
const GRACE_MS = 1_000;

/**
 * One listener per signal of a process, for all its services together: the process may end when the last has stopped.
 *
 * ```
 *  waiting ── a signal: all that want it stop ──► stopping ── all have stopped ──► the process ends
 *                                                    └────── another signal ─────► the process ends at once, 128 + n
 * ```
 */
export class SignalDesk {
  readonly #host: Host;
  readonly #members = new Set<Signalled>();
  readonly #listeners = new Map<NodeJS.Signals, () => void>();
  /** When the first signal came. */
  #stoppingAt: number | undefined;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Returns how to leave. */
  add(member: Signalled): () => void {
    this.#members.add(member);
    for (const signal of member.signals) {
      if (this.#listeners.has(signal)) continue;
      const listener = (): void => this.#heard(signal, member.runtime);
      this.#listeners.set(signal, listener);
      this.#host.onSignal(signal, listener);
    }
    return () => {
      this.#members.delete(member);
      this.#tidy();
    };
  }

  #heard(signal: NodeJS.Signals, runtime: Runtime): void {
    if (this.#stoppingAt === undefined) void this.#stop(signal, runtime);
    else if (runtime.now() - this.#stoppingAt > SAME_MS) this.#host.exit(128 + this.#host.numberOf(signal));
  }

  async #stop(signal: NodeJS.Signals, runtime: Runtime): Promise<void> {
    this.#stoppingAt = runtime.now();
    const isOurs = this.#host.listenerCount(signal) === 1;
    const members = [...this.#members].filter(({ signals }) => signals.includes(signal));
    const codes = await Promise.all(members.map(member => member.stop()));
    this.#stoppingAt = undefined;
    this.#tidy();
    // Those that live on were started after the signal, or do not want it.
    if (this.#members.size > 0 || members.some(({ exit }) => exit === false)) return;
    const host = this.#host;
    if (!host.exitCode) host.exitCode = Math.max(...codes);
    if (isOurs || members.some(({ exit }) => exit === true))
      runtime.after(GRACE_MS, () => host.exit(Number(host.exitCode)));
  }

  /** A signal that nobody here wants any more does again what it does by default. */
  #tidy(): void {
    if (this.#stoppingAt !== undefined) return;
    for (const [signal, listener] of this.#listeners) {
      if ([...this.#members].some(({ signals }) => signals.includes(signal))) continue;
      this.#host.offSignal(signal, listener);
      this.#listeners.delete(signal);
    }
  }
}

const desks = new WeakMap<Host, SignalDesk>();

export const deskOf = (host: Host): SignalDesk => {
  const desk = desks.get(host) ?? new SignalDesk(host);
  desks.set(host, desk);
  return desk;
};
