import type { Call } from '../core/call.js';
import type { FairleadError } from '../core/errors.js';
import type { RouteExplanation } from '../core/explanation.js';
import type { CandidateSets } from './candidate-sets.js';
import type { CandidateSet } from './candidates.js';
import { noInstances, noRoute } from './no-instances.js';
import type { Router } from './selection.js';

/** Which set a call picks from: as the router decides, or the whole one. */
export class RoutedSets {
  readonly #sets: CandidateSets;
  #router: Router | undefined;
  /** The same, where it has something to say about every call. */
  #rules: Router | undefined;

  constructor(sets: CandidateSets, router: Router | undefined) {
    this.#sets = sets;
    if (router !== undefined) this.reroute(router);
  }

  /** From now on; calls that were routed already keep their route. */
  reroute(router: Router): void {
    this.#router = router;
    this.#rules = router.idle ? undefined : router;
  }

  setFor(call: Call): CandidateSet {
    const router = this.#routerOf(call);
    return router === undefined ? this.#sets.anywhere(call) : router.choose(call, this.#sets);
  }

  offersMore(call: Call): boolean {
    const router = this.#routerOf(call);
    return router?.offersMore(call, this.#sets) ?? this.#sets.anywhere(call).offersMore(call.tried);
  }

  /** What serves a call, and how that came: null for a call that may go anywhere. */
  explain(call: Call): { readonly route: RouteExplanation | null; readonly set: CandidateSet } {
    return this.#routerOf(call)?.explain(call, this.#sets) ?? { route: null, set: this.#sets.anywhere(call) };
  }

  /** What a call gets whose set has nobody that may serve. `listed`: how many instances the registry knows. */
  refusal(call: Call, { set, listed }: { set: CandidateSet; listed: number }): FairleadError {
    const { service, now } = call;
    const others = this.#sets.anywhere(call);
    const route = others.eligible.length > 0 ? this.explain(call).route : null;
    if (route !== null) return noRoute(service, { route, set, others, now });
    return noInstances(service, { listed, members: others.members, now });
  }

  /** `undefined` for a call that may go anywhere, as most may: two checks are all that routing costs it. */
  #routerOf(call: Call): Router | undefined {
    return this.#rules ?? (call.route === undefined ? undefined : this.#router);
  }
}
