import { guard } from '../core/guard.js';
import type { ServiceInstance } from '../core/instance.js';
import type { Selection } from '../pool/selection.js';

/** Which instances: all that is written has to hold. Plain data, but for `where`. An empty one selects everybody. */
export interface InstanceSelector {
  /** Its version is this, or one of these. */
  readonly version?: string | readonly string[] | undefined;
  /** Its zone is this, or one of these. */
  readonly zone?: string | readonly string[] | undefined;
  /** It has this tag, or all of these. */
  readonly tags?: string | readonly string[] | undefined;
  /** Each of these keys of its metadata has this value, or one of these. */
  readonly metadata?: Readonly<Record<string, string | readonly string[]>> | undefined;
  /** … and it is none of those. */
  readonly not?: InstanceSelector | undefined;
  /** Your own condition; one that throws does not hold. Has to depend on the instance alone. */
  readonly where?: ((instance: ServiceInstance) => boolean) | undefined;
}

/** One thing that has to hold: what a fallback drops. */
export interface Condition {
  readonly text: string;
  holds(instance: ServiceInstance): boolean;
}

type OneOf = string | readonly string[];

/** The conditions of a selector, in the order in which it was written. */
export const conditionsOf = (selector: InstanceSelector): readonly Condition[] =>
  Object.entries(selector).flatMap(([key, value]) =>
    value === undefined ? [] : READ[key as keyof InstanceSelector](value as never),
  );

/** All of these; nothing = everybody. The same conditions in another order have the same key, and so the same set. */
export const selectionOf = (conditions: readonly Condition[]): Selection => ({
  key: [...new Set(conditions.map(({ text }) => text))].sort().join(', '),
  selects: instance => conditions.every(condition => condition.holds(instance)),
});

/** Everybody. */
export const ANYBODY: Selection = Object.freeze(selectionOf([]));

/** Those that none of these selects. */
export const noneOf = (selections: readonly Selection[]): Condition => {
  const keys = [...new Set(selections.map(({ key }) => key))].sort();
  return {
    text: `not (${keys.join(' or ')})`,
    holds: instance => !selections.some(selection => selection.selects(instance)),
  };
};

/** `''` is the zone of those that name none. */
export const inZone = (zone: string): Condition => ({
  text: oneOf('zone', zone),
  holds: instance => (instance.zone ?? '') === zone,
});

const READ: { [K in keyof InstanceSelector]-?: (value: NonNullable<InstanceSelector[K]>) => readonly Condition[] } = {
  version: wanted => [
    { text: oneOf('version', wanted), holds: ({ version }) => version !== undefined && includes(wanted, version) },
  ],
  zone: wanted => [{ text: oneOf('zone', wanted), holds: ({ zone }) => zone !== undefined && includes(wanted, zone) }],
  tags: wanted => [wanted].flat().map(tag => ({ text: `tag ${quote(tag)}`, holds: ({ tags }) => tags.includes(tag) })),
  metadata: wanted =>
    Object.entries(wanted).map(([key, values]) => ({
      text: oneOf(`metadata ${quote(key)}`, values),
      holds: ({ metadata }) => Object.hasOwn(metadata, key) && includes(values, metadata[key]!),
    })),
  not: unwanted => [noneOf([selectionOf(conditionsOf(unwanted))])],
  where: holds => {
    // One with a fault selects nobody: which instances a call may use must not depend on an exception.
    const guarded = guard("a route's where");
    return [{ text: `where ${nameOf(holds)}`, holds: instance => guarded(() => holds(instance)) === true }];
  },
};

const quote = (text: string): string => JSON.stringify(text);

const oneOf = (name: string, wanted: OneOf): string =>
  typeof wanted === 'string' ? `${name}=${quote(wanted)}` : `${name}=${[...wanted].sort().map(quote).join('|')}`;

const includes = (wanted: OneOf, value: string): boolean =>
  typeof wanted === 'string' ? wanted === value : wanted.includes(value);

const names = new WeakMap<object, string>();
let count = 0;

/** The same function has the same name, two with the same name of their own do not: sets are kept by it. */
const nameOf = (holds: { readonly name: string }): string => {
  let name = names.get(holds);
  if (name === undefined) names.set(holds, (name = `${holds.name.slice(0, 80) || 'function'} #${(count += 1)}`));
  return name;
};
