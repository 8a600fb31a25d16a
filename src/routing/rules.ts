import type { Call } from '../core/call.js';
import { ANYWHERE, decisionFor, Decision, type RouteFallback } from './decision.js';
import { matcherOf, type Matcher, type RouteMatch } from './match.js';
import { ANYBODY, conditionsOf, noneOf, selectionOf, type InstanceSelector } from './selector.js';
import { REST, saltOf, targetAt } from './shares.js';
import type { ZonePolicy } from './zone-preference.js';

/** A part of the calls that a rule matches, and where it goes. */
export interface RouteTarget {
  /** 0–1; those of one rule add up to 1 at most. */
  readonly share: number;
  readonly to: InstanceSelector;
}

/** Which calls go to which instances: to one kind of them, or split over several. */
export interface RouteRule {
  /** For people; and shares of rules with the same name meet the same users. @default what it selects */
  readonly name?: string | undefined;
  /** Calls that this rule is for. @default all */
  readonly match?: RouteMatch | undefined;
  /** Where they go. Either this or `split`. */
  readonly to?: InstanceSelector | undefined;
  /** Only this part of them, 0–1; the others go on to the next rule. With `to`. @default 1 */
  readonly share?: number | undefined;
  /** Parts of them to several places; what is left goes on to the next rule. */
  readonly split?: readonly RouteTarget[] | undefined;
  /** What serves when nobody that it wants may. @default that of the whole route */
  readonly fallback?: RouteFallback | undefined;
}

/** Rules with every default filled in. */
export interface RoutePolicy {
  readonly rules: readonly RouteRule[];
  readonly otherwise: 'rest' | 'any' | InstanceSelector;
  readonly fallback: RouteFallback;
  readonly zone: ZonePolicy | false;
  readonly keyOf: (call: Call) => string | undefined;
}

/** What a rule may ask about a call. */
export interface Asker {
  readonly keyOf: (call: Call) => string | undefined;
  /** Where the call stands among all, 0–1, in the order that a salt gives. */
  readonly pointOf: (salt: number) => number;
}

interface CompiledRule {
  readonly matches: Matcher | undefined;
  readonly decisions: readonly Decision[];
  /** `undefined`: all calls, to the first. */
  readonly shares: readonly number[] | undefined;
  readonly salt: number;
}

/** The first rule that matches a call, and whose share it falls into, decides. All is worked out beforehand. */
export class Rules {
  readonly #rules: readonly CompiledRule[];
  readonly #otherwise: Decision;

  constructor({ rules, otherwise, fallback }: RoutePolicy) {
    this.#rules = rules.map(rule => compiled(rule, fallback));
    this.#otherwise =
      typeof otherwise === 'object'
        ? decisionFor('otherwise', { to: conditionsOf(otherwise), fallback })
        : otherwise === 'any'
          ? ANYWHERE
          : restOf(this.#rules);
  }

  decide(call: Call, { keyOf, pointOf }: Asker): Decision {
    for (const { matches, decisions, shares, salt } of this.#rules) {
      if (matches !== undefined && !matches(call, keyOf)) continue;
      const target = shares === undefined ? 0 : targetAt(shares, pointOf(salt));
      if (target !== REST) return decisions[target]!;
    }
    return this.#otherwise;
  }
}

const compiled = (rule: RouteRule, inherited: RouteFallback): CompiledRule => {
  const { name, match, share = 1, fallback = inherited } = rule;
  const targets = rule.split ?? [{ share, to: rule.to! }];
  const wanted = targets.map(({ to }) => selectionOf(conditionsOf(to)).key || 'any');
  const isAll = rule.split === undefined && share === 1;
  return {
    matches: matcherOf(match),
    decisions: targets.map(({ to }, at) => decisionFor(name ?? wanted[at]!, { to: conditionsOf(to), fallback })),
    shares: isAll ? undefined : targets.map(target => target.share),
    // The text of what it wants, not its place: rules may be added and shares may grow without moving anybody.
    salt: saltOf(name ?? wanted.join(' ')),
  };
};

/**
 * An instance that a rule names is for the calls that rules send there: else the others would make 5 % more. Where there is
 * nobody else, and be it at the end of a release, all serve.
 */
const restOf = (rules: readonly CompiledRule[]): Decision => {
  const named = rules.flatMap(({ decisions }) => decisions.map(({ rungs }) => rungs[0]!));
  if (named.some(({ key }) => key === '')) return ANYWHERE;
  return new Decision('the rest', [selectionOf([noneOf(named)]), ANYBODY]);
};
