/** What a client did with one instance that went away or bad: the same questions for every kind of trouble. */
import { eventually } from '../../servers/index.js';
import { wallNow, type Load } from './load.js';
import { overlapping, type Sent, type Stage } from './stage.js';
import type { Instance } from './instance.js';

/** Used again no later than this after it answers: the promise of the default ejection times. */
export const BACK_WITHIN_MS = 10_000;

export class Outage {
  readonly #stage: Stage;
  readonly #victim: Instance;
  /** Milliseconds since the epoch. */
  readonly from: number;
  readonly #before: readonly Sent[];

  /** It goes bad now. */
  constructor(stage: Stage, victim: Instance) {
    this.#stage = stage;
    this.#victim = victim;
    this.#before = stage.inFlightOn(victim);
    this.from = wallNow();
  }

  /** In flight on it when it went. */
  get inFlight(): readonly Sent[] {
    return this.#before;
  }

  /** On their way to it when it went, or sent before the client took it out: over connections that were dead already. */
  caught(): readonly Sent[] {
    return [...this.#before, ...this.sentAfter(0, this.from + this.outAfterMs)];
  }

  /** What it got later than so long after it went. */
  sentAfter(ms: number, to = Infinity): readonly Sent[] {
    return this.#stage.sentTo(this.#victim, this.from + ms).filter(({ at }) => at < to);
  }

  /** Anything but one retryable request at a time. */
  moreThanProbes(afterMs: number, to = Infinity): readonly Sent[] {
    const late = this.sentAfter(afterMs, to);
    return [...overlapping(late), ...late.filter(({ method }) => method === 'POST')];
  }

  /** When the client took it out, in ms after it went bad. */
  get outAfterMs(): number {
    const down = this.#stage.events.find(
      event => event.type === 'instance.down' && event.instance === this.#victim.id && event.at >= this.from,
    );
    return down === undefined ? NaN : down.at - this.from;
  }

  /** It answers from now on: resolves with the time until a request was sent that it answered, in ms. */
  async usedAgain(): Promise<number> {
    const from = wallNow();
    const served = (): Sent | undefined => this.sentAfter(from - this.from).find(({ answered }) => answered);
    const options = { withinMs: BACK_WITHIN_MS + 2_000, what: `${this.#victim.id} to be used again` };
    await eventually(() => served() !== undefined, options);
    return served()!.at - from;
  }
}

/** Latencies of the calls that began in `from`–`to`, for people. */
export const quantiles = (load: Load, from: number, to?: number): string => {
  const calls = load.between(from, to);
  return `p50 ${calls.quantileMs(0.5).toFixed(0)} p99 ${calls.quantileMs(0.99).toFixed(0)} ms`;
};
