import type { ServiceInstance } from '../core/instance.js';
import type { Registry, RegistryProblem, WatchContext } from '../core/registry.js';
import { WatchLoop } from './watch-loop.js';

export type InstanceSet = readonly ServiceInstance[];

export interface FollowedParts {
  readonly service: string;
  readonly registry: Registry;
  readonly context: WatchContext;
  /** What it last said, before this watch began. */
  readonly remembered: InstanceSet | undefined;
  readonly changed: () => void;
}

/** One of several registries that are watched for one service: its last good set, and whether it can be reached. */
export class Followed {
  readonly registry: Registry;
  /** The last good one; `undefined` until there was one. */
  set: InstanceSet | undefined;
  /** In contact: what it says is true now. */
  connected = false;
  /** Has answered, or failed, since the watch began. */
  heard = false;
  readonly #loop: WatchLoop;

  constructor({ service, registry, context, remembered, changed }: FollowedParts) {
    this.registry = registry;
    this.set = remembered;
    const { runtime } = context;
    this.#loop = new WatchLoop({
      service,
      registry,
      runtime,
      received: value => {
        if (!Array.isArray(value)) return false;
        this.set = value as InstanceSet;
        this.#hear(true, changed);
        return true;
      },
      lost: error => {
        context.report({
          kind: 'unreachable',
          message: `${registry.name}: cannot be reached`,
          entry: registry.name,
          cause: error,
        });
        this.#hear(false, changed);
      },
      report: problem => context.report(named(registry, problem)),
    });
  }

  stop(): void {
    this.#loop.stop();
  }

  #hear(connected: boolean, changed: () => void): void {
    this.connected = connected;
    this.heard = true;
    changed();
  }
}

/** Whose problem it is. */
export const named = ({ name }: Registry, problem: RegistryProblem): RegistryProblem => ({
  ...problem,
  message: problem.message.startsWith(name) ? problem.message : `${name}: ${problem.message}`,
});
