import type { Call } from '../core/call.js';
import type { Runtime } from '../core/runtime.js';
import type { CandidateSet } from '../pool/candidates.js';
import type { Explained, Router, SetSource } from '../pool/selection.js';
import { ANYWHERE, Decision, RouteWish } from './decision.js';
import { isFit, rungFor } from './ladder.js';
import { Rules, type RoutePolicy } from './rules.js';
import { pointOf, saltOf } from './shares.js';
import { ZonePreference } from './zone-preference.js';

const ZONE_SALT = saltOf('zone');

/**
 * Routes calls by rules, with fallbacks and a preference for the own zone. For releases to a few first, for comparing
 * versions, for tenants, for zones. Without rules and zone it is idle, and serves calls that say themselves where they go.
 */
export class RuleRouter implements Router {
  readonly idle: boolean;
  readonly #rules: Rules | undefined;
  readonly #zone: ZonePreference | undefined;
  readonly #runtime: Runtime;
  readonly #keyOf: (call: Call) => string | undefined;

  constructor(policy: RoutePolicy | false, runtime: Runtime) {
    this.#rules = policy && policy.rules.length > 0 ? new Rules(policy) : undefined;
    this.#zone = policy && policy.zone ? new ZonePreference(policy.zone) : undefined;
    this.#runtime = runtime;
    this.idle = this.#rules === undefined && this.#zone === undefined;
    const keyOf = policy ? policy.keyOf : () => undefined;
    this.#keyOf = call => wishedKey(call) || keyOf(call) || call.hashKey || undefined;
  }

  choose(call: Call, sets: SetSource): CandidateSet {
    const { rungs } = this.#decisionFor(call);
    const rung = rungs[rungFor(rungs, call, sets)]!;
    const whole = sets.of(rung, call);
    if (this.#zone === undefined) return whole;
    const near = this.#zone.narrow(rung, whole, () => this.#pointOf(call, ZONE_SALT));
    if (near === rung) return whole;
    const set = sets.of(near, call);
    return isFit(set) && (call.tried.length === 0 || set.offersMore(call.tried)) ? set : whole;
  }

  offersMore(call: Call, sets: SetSource): boolean {
    const { rungs } = this.#decisionFor(call);
    return sets.of(rungs[rungFor(rungs, call, sets)]!, call).offersMore(call.tried);
  }

  explain(call: Call, sets: SetSource): Explained {
    const { rule, rungs } = this.#decisionFor(call);
    const rung = rungFor(rungs, call, sets);
    const set = sets.of(rungs[rung]!, call);
    const localRatio = this.#zone?.localRatio(set) ?? NaN;
    const route = {
      rule,
      wanted: rungs[0]!.key || 'any',
      served: rungs[rung]!.key || 'any',
      rung,
      zone: this.#zone && !Number.isNaN(localRatio) ? { own: this.#zone.policy.own, localRatio } : null,
    };
    return { route, set };
  }

  /** Made at the first attempt: a retry must not be dealt another share, nor meet rules that were changed meanwhile. */
  #decisionFor(call: Call): Decision {
    const { route } = call;
    if (route instanceof Decision) return route;
    if (route instanceof RouteWish) return (route.decision ??= this.#decide(call));
    const decision = this.#decide(call);
    call.route = decision;
    return decision;
  }

  #decide(call: Call): Decision {
    return this.#rules?.decide(call, { keyOf: this.#keyOf, pointOf: salt => this.#pointOf(call, salt) }) ?? ANYWHERE;
  }

  /** Where there is no key, chance decides: shares hold, but nobody stays where he was. */
  #pointOf(call: Call, salt: number): number {
    const key = this.#keyOf(call);
    return key === undefined ? this.#runtime.random() : pointOf(key, salt);
  }
}

const wishedKey = ({ route }: Call): string | undefined => (route instanceof RouteWish ? route.key : undefined);
