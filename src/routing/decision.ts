import type { Selection } from '../pool/selection.js';
import { ANYBODY, conditionsOf, selectionOf, type Condition, type InstanceSelector } from './selector.js';

/**
 * What serves a call when nobody that its route wants may:
 *
 * - `'ladder'`  the conditions are dropped one by one, the one written last first; in the end anybody serves
 * - `'any'`     anybody serves
 * - `'strict'`  nobody: the call is refused with NO_ROUTE
 * - a list      these, one after the other; end it with `{}` for anybody
 */
export type RouteFallback = 'ladder' | 'any' | 'strict' | readonly InstanceSelector[];

/** Where a call goes, for all its attempts. Made once for each rule. */
export class Decision {
  readonly rule: string;
  /** What is wanted, then what it falls back to. At least one. */
  readonly rungs: readonly Selection[];

  constructor(rule: string, rungs: readonly Selection[]) {
    this.rule = rule;
    this.rungs = rungs;
  }
}

export const decisionFor = (
  rule: string,
  { to, fallback }: { to: readonly Condition[]; fallback: RouteFallback },
): Decision => new Decision(rule, withoutRepeats([selectionOf(to), ...fallbackOf(to, fallback)]));

export const ANYWHERE = new Decision('none', [ANYBODY]);

const fallbackOf = (to: readonly Condition[], fallback: RouteFallback): Selection[] => {
  if (fallback === 'strict') return [];
  if (fallback === 'any') return [ANYBODY];
  if (fallback === 'ladder') return to.map((_, dropped) => selectionOf(to.slice(0, to.length - 1 - dropped)));
  return fallback.map(selector => selectionOf(conditionsOf(selector)));
};

const withoutRepeats = (rungs: readonly Selection[]): Selection[] =>
  rungs.filter(({ key }, at) => rungs.findIndex(rung => rung.key === key) === at);

/** What a call asks for itself, before it is routed; then what was decided for it. */
export class RouteWish {
  /** Whom shares are for; `undefined`: as the client says. */
  readonly key: string | undefined;
  decision: Decision | undefined;

  constructor(key: string | undefined, decision: Decision | undefined) {
    this.key = key;
    this.decision = decision;
  }
}

/** What one call decides for itself, in `init.fairlead.route`. */
export interface CallRoute {
  /** These instances, whatever the rules say; `{}`: any. */
  readonly to?: Omit<InstanceSelector, 'where'> | undefined;
  /** What serves when nobody of `to` may. @default 'ladder' */
  readonly fallback?: RouteFallback | undefined;
  /** Whom shares are for: the user, the session. @default as the client's `route.key` says */
  readonly key?: string | undefined;
}

export const wishOf = ({ to, fallback = 'ladder', key }: CallRoute): RouteWish =>
  new RouteWish(key, to && decisionFor('the call', { to: conditionsOf(to), fallback }));
