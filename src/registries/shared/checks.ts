/** Checks of options; each error names the option, what was expected and what was given. */

export const shown = (value: unknown): string => {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
};

export const unknownKey = (given: object, known: object): string | undefined =>
  Object.keys(given).find(key => !Object.hasOwn(known, key));

export const requireNumber = (path: string, value: unknown, { min, max }: { min: number; max: number }): void => {
  if (typeof value !== 'number') throw new TypeError(`${path}: expected a number, got ${shown(value)}`);
  if (!(value >= min && value <= max)) throw new RangeError(`${path}: expected ${min}–${max}, got ${value}`);
};

export const requireText = (path: string, value: unknown): void => {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (typeof value === 'string' && value !== '' && !/[\u0000-\u001f\u007f]/.test(value)) return;
  throw new TypeError(`${path}: expected a non-empty string without control characters, got ${shown(value)}`);
};

/** Travels in a header. The value itself is never repeated. */
export const requireToken = (path: string, value: unknown): void => {
  if (typeof value === 'string' && /^[\x21-\x7e]+$/.test(value)) return;
  throw new TypeError(`${path}: expected a string of printable ASCII characters without blanks`);
};

/**
 * A service's name or an instance's id becomes part of a URL path. Escaping covers all but these: servers and proxies
 * take an escaped `/` or a `..` for a step to another path.
 */
export const requireSegment = (path: string, value: unknown): void => {
  requireText(path, value);
  const text = value as string;
  if (text.includes('/') || text.includes('..') || text === '.')
    throw new TypeError(`${path}: expected a name without "/" and "..", got ${shown(text)}`);
};
