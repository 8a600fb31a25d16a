import type { ServiceInstance } from '../core/instance.js';
import type { RegistryProblem } from '../core/registry.js';
import { normalise } from './normalise.js';
import type { DiscoverySettings } from './options.js';
import { ProblemLog } from './problem-log.js';

/** Takes in what a registry says of one service: what is usable as a set, what is not as problems, told without flooding. */
export class Intake {
  readonly #settings: DiscoverySettings;
  readonly #tell: (problem: RegistryProblem) => void;
  readonly #log = new ProblemLog();

  constructor(settings: DiscoverySettings, tell: (problem: RegistryProblem) => void) {
    this.#settings = settings;
    this.#tell = tell;
  }

  /** All problems ever met, told or not. */
  get problems(): number {
    return this.#log.count;
  }

  /** `undefined` if it is no set at all. */
  readonly parse = (value: unknown): readonly ServiceInstance[] | undefined => {
    if (!Array.isArray(value)) {
      this.report({ kind: 'other', message: 'what it yielded is not an array of instances' });
      return undefined;
    }
    const { instances, problems } = normalise(value, this.#settings);
    problems.forEach(this.report);
    return instances;
  };

  readonly report = (problem: RegistryProblem): void => {
    if (this.#log.isNews(problem, this.#settings.runtime.now())) this.#tell(problem);
  };
}
