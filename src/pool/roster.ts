import { identityOf, type ServiceInstance } from '../core/instance.js';
import type { Runtime } from '../core/runtime.js';
import type { EjectionHost } from './ejection-host.js';
import { PooledEndpoint } from './endpoint.js';
import type { Peers } from './peers.js';

export interface RosterParts {
  readonly runtime: Runtime;
  readonly peers: Peers;
  readonly slowStartMs: number;
  readonly host: (endpoint: PooledEndpoint) => EjectionHost;
  readonly left: ((endpoint: PooledEndpoint) => void) | undefined;
}

/** The endpoints of a service, as its registry lists them. Who stays keeps what was learnt of it. */
export class Roster {
  readonly #parts: RosterParts;
  readonly #endpoints = new Map<string, PooledEndpoint>();

  constructor(parts: RosterParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#endpoints.size;
  }

  values(): Iterable<PooledEndpoint> {
    return this.#endpoints.values();
  }

  /** The whole set as it is listed now. `newcomersWarmUp`: the first set is not new, it is what was there before us. */
  update(
    instances: readonly ServiceInstance[],
    { held, newcomersWarmUp }: { held: ReadonlySet<string>; newcomersWarmUp: boolean },
  ): void {
    const left = new Map(this.#endpoints);
    for (const instance of instances) {
      const identity = identityOf(instance);
      left.delete(identity);
      this.#place(instance, identity, newcomersWarmUp).held = held.has(identity);
    }
    for (const [identity, endpoint] of left) {
      this.#endpoints.delete(identity);
      endpoint.listed = false;
      this.#parts.left?.(endpoint);
    }
    this.#parts.peers.changed();
  }

  #place(instance: ServiceInstance, identity: string, newcomersWarmUp: boolean): PooledEndpoint {
    const { runtime, host, peers, slowStartMs } = this.#parts;
    const now = runtime.now();
    const survivor = this.#endpoints.get(identity);
    if (survivor === undefined) {
      const endpoint = new PooledEndpoint(instance, { host, peers, now });
      if (newcomersWarmUp) endpoint.warmUp(slowStartMs, now);
      this.#endpoints.set(identity, endpoint);
      return endpoint;
    }
    if (survivor.instance.incarnation !== instance.incarnation)
      survivor.reincarnate(instance, { now, warmMs: slowStartMs });
    else survivor.instance = instance;
    return survivor;
  }
}
