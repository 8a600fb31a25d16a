import type { ServiceInstance } from '../core/instance.js';
import type { RegistryProblem } from '../core/registry.js';
import { HoldReview } from './hold-review.js';
import { LossProtection } from './loss-protection.js';
import type { DiscoverySettings } from './options.js';

export interface HoldingParts {
  readonly service: string;
  readonly settings: DiscoverySettings;
  readonly parse: (value: unknown) => readonly ServiceInstance[] | undefined;
  /** A read was done and applied; `changed` if the set differs now. */
  readonly reviewed: (changed: boolean) => void;
  readonly report: (problem: RegistryProblem) => void;
}

/** The loss protection of one service together with the reads that confirm losses. It can forget all. */
export class Holding {
  readonly #parts: HoldingParts;
  #protection: LossProtection;
  #review: HoldReview;

  constructor(parts: HoldingParts) {
    this.#parts = parts;
    this.#protection = new LossProtection(parts.settings);
    this.#review = this.#newReview();
  }

  get protection(): LossProtection {
    return this.#protection;
  }

  /** To be called whenever who is held may have changed. */
  schedule(): void {
    this.#review.schedule();
  }

  /** Whoever was listed or held is so no more. */
  forget(): void {
    this.#review.close();
    this.#protection = new LossProtection(this.#parts.settings);
    this.#review = this.#newReview();
  }

  close(): void {
    this.#review.close();
  }

  #newReview(): HoldReview {
    const { settings, ...parts } = this.#parts;
    const { registry, runtime, firstTimeoutMs } = settings;
    return new HoldReview({ ...parts, registry, runtime, protection: this.#protection, readTimeoutMs: firstTimeoutMs });
  }
}
