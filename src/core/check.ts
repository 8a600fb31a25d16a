/**
 * Checks of options: each throws a TypeError or RangeError that names the option's path, what was expected and what was
 * given. `hint` is the right form of a shorthand that people try.
 */
export interface Range {
  readonly min: number;
  readonly max?: number;
  readonly integer?: boolean;
  /** `false` switches it off. */
  readonly orFalse?: boolean;
  /** The value `min` itself is refused. */
  readonly above?: boolean;
}

/** A value as messages show it: what kind it is, never what is in it; a long text by its beginning. */
export const shown = (value: unknown): string => {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 80));
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
};

export const number = (path: string, value: unknown, range: Range): void => {
  if (value === undefined || (value === false && range.orFalse)) return;
  const { min, max = Infinity, integer = false, above = false } = range;
  const most = max === Infinity ? '' : ` and <= ${max}`;
  const expected = `${integer ? 'a whole number' : 'a number'} ${above ? '>' : '>='} ${min}${most}${range.orFalse ? ', or false' : ''}`;
  if (typeof value !== 'number') throw new TypeError(`${path}: expected ${expected}, got ${shown(value)}`);
  const outside = Number.isNaN(value) || value < min || (above && value === min) || value > max;
  if (outside || (integer && !Number.isInteger(value)))
    throw new RangeError(`${path}: expected ${expected}, got ${String(value)}`);
};

export const oneOf = (path: string, value: unknown, choices: readonly unknown[]): void => {
  if (value === undefined || choices.includes(value)) return;
  throw new TypeError(`${path}: expected ${choices.map(shown).join(' or ')}, got ${shown(value)}`);
};

export const ofType = (path: string, value: unknown, type: 'function' | 'boolean' | 'string'): void => {
  if (value === undefined || typeof value === type) return;
  throw new TypeError(`${path}: expected a ${type}, got ${shown(value)}`);
};

/** An object with no keys but `known`; `undefined` passes. Returns it as a record, empty for `undefined`. */
export const object = (
  path: string,
  value: unknown,
  { known, hint = '' }: { known: readonly string[]; hint?: string },
): Record<string, unknown> => {
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TypeError(`${path}: expected an object, got ${shown(value)}${hint}`);
  for (const key of Object.keys(value))
    if (!known.includes(key))
      throw new TypeError(`${path === '' ? '' : `${path}.`}${key}: no such option; there are ${known.join(', ')}`);
  return value as Record<string, unknown>;
};

/** Something that has these methods: a registry, a runtime, a transport. */
export const hasMethods = (path: string, value: unknown, methods: readonly string[]): void => {
  if (value === undefined) return;
  const missing = methods.find(method => typeof (value as Record<string, unknown> | null)?.[method] !== 'function');
  if (missing !== undefined)
    throw new TypeError(`${path}: expected an object with a method ${missing}(), got ${shown(value)}`);
};

/** The defaults under what was given; `undefined` counts as not given. */
export const filled = <T extends object>(defaults: T, given: { readonly [K in keyof T]?: unknown } | undefined): T =>
  Object.fromEntries(
    Object.entries(defaults).map(([key, value]) => [
      key,
      (given as Record<string, unknown> | undefined)?.[key] ?? value,
    ]),
  ) as T;
