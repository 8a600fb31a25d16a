/**
 * A moving average of response times that believes bad news at once and good news slowly: a sample above the average
 * replaces it, one below pulls it down by the time that passed. Source: Finagle's PeakEwma (`w = e^(-Δt/τ)`, τ = 10 s).
 */
export class PeakEwma {
  readonly #tauMs: number;
  #average = 0;
  #updatedAt = 0;

  constructor(tauMs: number) {
    this.#tauMs = tauMs;
  }

  /** In ms; 0 until the first sample. */
  get value(): number {
    return this.#average;
  }

  observe(sampleMs: number, now: number): void {
    if (sampleMs >= this.#average) {
      this.#average = sampleMs;
    } else {
      const kept = decay(Math.max(0, now - this.#updatedAt) / this.#tauMs);
      this.#average = this.#average * kept + sampleMs * (1 - kept);
    }
    this.#updatedAt = now;
  }

  clear(): void {
    this.#average = 0;
  }
}

/** `e^-x`; near 0 by its series, to 1e-13, in a third of the time: samples mostly follow each other closely. */
const decay = (x: number): number => (x < 0.002 ? 1 - x * (1 - (x / 2) * (1 - x / 3)) : Math.exp(-x));
