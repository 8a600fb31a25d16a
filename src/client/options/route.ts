import { keyReader, type HashKey } from '../../balancers/hash-key.js';
import { checkKey } from '../../balancers/hash-options.js';
import type { CallRoute, RouteFallback } from '../../routing/decision.js';
import type { RoutePolicy, RouteRule } from '../../routing/rules.js';
import type { InstanceSelector } from '../../routing/selector.js';
import { SLACK } from '../../routing/shares.js';
import type { ZonePolicy } from '../../routing/zone-preference.js';
import * as check from '../../core/check.js';
import { checkFallback, checkMatch, checkSelector, required } from './route-parts.js';

/** Which part of the fleet calls go to. Plain data but for functions, so that it can come from a file. */
export interface RouteOptions {
  /** The first rule that matches a call, and whose share it falls into, decides. At most 100. @default none */
  readonly rules?: readonly RouteRule[] | undefined;
  /**
   * Where calls go that no rule decided: `'rest'`: to instances that no rule names, and to all when there are none;
   * `'any'`: to all. @default 'rest'
   */
  readonly otherwise?: 'rest' | 'any' | InstanceSelector | undefined;
  /** What serves when nobody that a rule wants may. @default 'ladder' */
  readonly fallback?: RouteFallback | undefined;
  /**
   * Whom shares are for: who has the same key stays on the same side. As `consistentHash`'s.
   * @default init.fairlead.hashKey; calls without a key are dealt out by chance
   */
  readonly key?: HashKey | undefined;
  /** Prefers instances of the zone of this process. A string: the zone, with defaults. @default none */
  readonly zone?: string | ZoneOptions | false | undefined;
}

export interface ZoneOptions {
  /** Where this process runs. */
  readonly own: string;
  /** Fewer instances than so many are used whatever their zone, 1–100 000. @default 6 (Envoy) */
  readonly minInstances?: number | undefined;
  /** … and so they are while fewer of the own zone may serve, 1–100 000. @default 2 (Ribbon) */
  readonly minLocal?: number | undefined;
  /**
   * The share of all callers of the service that run in the own zone, above 0 and up to 1: what its instances have to carry
   * before calls go elsewhere. @default the same for each zone
   */
  readonly callersRatio?: number | undefined;
}

const ZONE_DEFAULTS = Object.freeze({ minInstances: 6, minLocal: 2 });
const MOST_RULES = 100;
const HINT = "; write { rules: [{ share: 0.05, to: { version: '2' } }] }";

export const resolveRoute = (given: RouteOptions | false | undefined): RoutePolicy | false => {
  if (given === undefined || given === false) return false;
  check.object('route', given, { known: ['rules', 'otherwise', 'fallback', 'key', 'zone'], hint: HINT });
  const { rules = [], otherwise = 'rest', fallback = 'ladder' } = given;
  if (!Array.isArray(rules)) throw new TypeError('route.rules: expected an array of rules, such as [{ to: … }]');
  if (rules.length > MOST_RULES)
    throw new RangeError(`route.rules: expected at most ${MOST_RULES} rules, got ${rules.length}`);
  (rules as readonly RouteRule[]).forEach((rule, at) => checkRule(`route.rules[${at}]`, rule));
  if (typeof otherwise === 'string') check.oneOf('route.otherwise', otherwise, ['rest', 'any']);
  else checkSelector('route.otherwise', otherwise);
  checkFallback('route.fallback', fallback);
  return { rules, otherwise, fallback, zone: zoneOf(given.zone), keyOf: keyOf(given.key) };
};

/** For `init.fairlead.route`. A function is refused: each call's own would be a condition of its own, and a set of its own. */
export const checkCallRoute = (path: string, given: CallRoute | undefined): void => {
  if (given === undefined) return;
  check.object(path, given, { known: ['to', 'fallback', 'key'], hint: "; write { to: { version: '2' } }" });
  check.ofType(`${path}.key`, given.key, 'string');
  if (given.to !== undefined) checkSelector(`${path}.to`, given.to, { dataOnly: true });
  if (given.fallback !== undefined) checkFallback(`${path}.fallback`, given.fallback, { dataOnly: true });
};

const checkRule = (path: string, rule: RouteRule): void => {
  required(path, rule, 'a rule, such as { to: { version: "2" } }');
  check.object(path, rule, { known: ['name', 'match', 'to', 'share', 'split', 'fallback'] });
  check.ofType(`${path}.name`, rule.name, 'string');
  checkMatch(`${path}.match`, rule.match);
  if (rule.fallback !== undefined) checkFallback(`${path}.fallback`, rule.fallback);
  if ((rule.to === undefined) === (rule.split === undefined))
    throw new TypeError(`${path}: expected either to or split, got ${rule.to === undefined ? 'none' : 'both'}`);
  if (rule.split !== undefined) return checkSplit(path, rule);
  checkSelector(`${path}.to`, rule.to!);
  check.number(`${path}.share`, rule.share, { min: 0, max: 1 });
};

const checkSplit = (path: string, { split, share }: RouteRule): void => {
  if (share !== undefined) throw new TypeError(`${path}.share: belongs into the targets of split`);
  if (!Array.isArray(split) || split.length === 0)
    throw new TypeError(`${path}.split: expected targets, such as [{ share: 0.05, to: { version: "2" } }]`);
  let sum = 0;
  split.forEach((target: { share: number; to: InstanceSelector }, at) => {
    const here = `${path}.split[${at}]`;
    required(here, target, 'a target, such as { share: 0.05, to: { version: "2" } }');
    check.object(here, target, { known: ['share', 'to'] });
    required(`${here}.share`, target.share, 'a number >= 0 and <= 1');
    check.number(`${here}.share`, target.share, { min: 0, max: 1 });
    required(`${here}.to`, target.to, 'what it selects, such as { version: "2" }');
    checkSelector(`${here}.to`, target.to);
    sum += target.share;
  });
  if (sum > 1 + SLACK) throw new RangeError(`${path}.split: expected shares that add up to 1 at most, got ${sum}`);
};

const zoneOf = (given: RouteOptions['zone']): ZonePolicy | false => {
  if (given === undefined || given === false) return false;
  const zone = typeof given === 'string' ? { own: given } : given;
  const hint = '; write "eu-west-1a" or { own: "eu-west-1a" }';
  check.object('route.zone', zone, { known: ['own', 'minInstances', 'minLocal', 'callersRatio'], hint });
  if (typeof zone.own !== 'string' || zone.own === '')
    throw new TypeError('route.zone.own: expected the zone that this process runs in, a non-empty string');
  check.number('route.zone.minInstances', zone.minInstances, { min: 1, max: 100_000, integer: true });
  check.number('route.zone.minLocal', zone.minLocal, { min: 1, max: 100_000, integer: true });
  check.number('route.zone.callersRatio', zone.callersRatio, { min: 0, max: 1, above: true });
  return { ...check.filled(ZONE_DEFAULTS, zone), own: zone.own, callersRatio: zone.callersRatio };
};

const keyOf = (key: HashKey | undefined): RoutePolicy['keyOf'] => {
  checkKey(key, 'route.key');
  return keyReader(key, 'route: calls have no key and are dealt out by chance');
};
