import type { Call } from '../core/call.js';
import type { RouteExplanation } from '../core/explanation.js';
import type { ServiceInstance } from '../core/instance.js';
import type { CandidateSet } from './candidates.js';

/** A part of the fleet, by what its instances are. Two with the same key select the same instances. */
export interface Selection {
  /** The condition as text, for people and as the name under which its set is kept; empty selects everybody. */
  readonly key: string;
  selects(instance: ServiceInstance): boolean;
}

/** Gives the set of those that a selection selects and that this call can talk to, brought up to date. */
export interface SetSource {
  of(selection: Selection, call: Call): CandidateSet;
}

export interface Explained {
  readonly route: RouteExplanation;
  /** What serves, whatever the zone. */
  readonly set: CandidateSet;
}

/** Decides which part of the fleet a call goes to. The decision is left in `call.route`: all attempts of a call keep it. */
export interface Router {
  /** Calls that bring no wish of their own may go anywhere: they need not be asked about. */
  readonly idle: boolean;
  /** The set to pick from now. An empty one: the route allows nobody that may serve. */
  choose(call: Call, sets: SetSource): CandidateSet;
  /** Is there somebody that the route allows, that may serve and that this call has not tried? */
  offersMore(call: Call, sets: SetSource): boolean;
  /** Draws nothing: where chance decides, it tells the shares. */
  explain(call: Call, sets: SetSource): Explained;
}
