import type { RouteFallback } from '../../routing/decision.js';
import type { RouteMatch } from '../../routing/match.js';
import type { InstanceSelector } from '../../routing/selector.js';
import * as check from '../../core/check.js';

/** Conditions of one selector: each is a rung of the ladder, and a set of its own when it comes to that. */
const MOST_CONDITIONS = 16;
const MOST_TEXT = 256;
const SELECTOR = ['version', 'zone', 'tags', 'metadata', 'not', 'where'];
const SELECTOR_HINT = "; write { version: '2' }";

interface Limits {
  /** No functions: it belongs to one call. */
  readonly dataOnly?: boolean;
}

export const required = (path: string, value: unknown, expected: string): void => {
  if (value === undefined) throw new TypeError(`${path}: expected ${expected}, got nothing`);
};

export const checkSelector = (path: string, given: InstanceSelector, { dataOnly = false }: Limits = {}): void => {
  const known = dataOnly ? SELECTOR.filter(key => key !== 'where') : SELECTOR;
  check.object(path, given, { known, hint: SELECTOR_HINT });
  const { version, zone, tags, metadata, not, where } = given;
  checkTexts(`${path}.version`, version);
  checkTexts(`${path}.zone`, zone);
  checkTexts(`${path}.tags`, tags);
  checkRecord(`${path}.metadata`, metadata);
  for (const [key, value] of Object.entries(metadata ?? {})) {
    required(`${path}.metadata.${key}`, value, 'a string or an array of strings');
    checkTexts(`${path}.metadata.${key}`, value);
  }
  check.ofType(`${path}.where`, where, 'function');
  if (not !== undefined) checkNot(`${path}.not`, not, { dataOnly });
  const conditions = Object.keys(metadata ?? {}).length + [tags ?? []].flat().length;
  if (conditions > MOST_CONDITIONS)
    throw new RangeError(`${path}: expected at most ${MOST_CONDITIONS} tags and keys of metadata, got ${conditions}`);
};

const checkNot = (path: string, not: InstanceSelector, limits: Limits): void => {
  checkSelector(path, not, limits);
  if (not.not !== undefined) throw new TypeError(`${path}.not: expected no second negation`);
  if (Object.values(not).every(value => value === undefined))
    throw new TypeError(`${path}: expected a condition, got an empty object, which would exclude everybody`);
};

export const checkFallback = (path: string, given: RouteFallback, limits: Limits = {}): void => {
  if (!Array.isArray(given)) {
    if (typeof given === 'string') return check.oneOf(path, given, ['ladder', 'any', 'strict']);
    throw new TypeError(`${path}: expected 'ladder', 'any', 'strict' or an array of selectors`);
  }
  const selectors = given as readonly InstanceSelector[];
  if (selectors.length === 0 || selectors.length > MOST_CONDITIONS)
    throw new RangeError(`${path}: expected 1–${MOST_CONDITIONS} selectors, got ${selectors.length}; 'strict' is none`);
  selectors.forEach((selector, at) => {
    required(`${path}[${at}]`, selector, "a selector, such as { version: '1' }");
    checkSelector(`${path}[${at}]`, selector, limits);
  });
};

export const checkMatch = (path: string, given: RouteMatch | undefined): void => {
  if (given === undefined) return;
  const known = ['headers', 'method', 'pathPrefix', 'keys', 'when'];
  check.object(path, given, { known, hint: "; write { headers: { 'x-beta': 'yes' } }" });
  const { headers, method, pathPrefix, keys, when } = given;
  checkRecord(`${path}.headers`, headers);
  for (const [name, value] of Object.entries(headers ?? {})) {
    required(`${path}.headers.${name}`, value, 'a string, an array of strings, true or false');
    if (typeof value !== 'boolean') checkTexts(`${path}.headers.${name}`, value);
  }
  checkTexts(`${path}.method`, method);
  checkTexts(`${path}.pathPrefix`, pathPrefix);
  if (keys !== undefined && !Array.isArray(keys)) throw new TypeError(`${path}.keys: expected an array of strings`);
  for (const [at, key] of (keys ?? []).entries())
    if (typeof key !== 'string' || key === '')
      throw new TypeError(`${path}.keys[${at}]: expected a non-empty string, got ${typeof key}`);
  check.ofType(`${path}.when`, when, 'function');
};

const checkRecord = (path: string, given: unknown): void => {
  if (given !== undefined && (typeof given !== 'object' || given === null || Array.isArray(given)))
    throw new TypeError(`${path}: expected an object, such as { "name": "value" }`);
};

/** One string or several: never none, which would select nobody. */
const checkTexts = (path: string, given: unknown): void => {
  if (given === undefined) return;
  const texts: readonly unknown[] = Array.isArray(given) ? given : [given];
  if (texts.length === 0) throw new TypeError(`${path}: expected a string or several, got an empty array`);
  for (const text of texts) {
    if (typeof text === 'number')
      throw new TypeError(`${path}: expected a string, got the number ${text}; write ${JSON.stringify(String(text))}`);
    if (typeof text !== 'string' || text === '' || text.length > MOST_TEXT)
      throw new TypeError(`${path}: expected a string of 1–${MOST_TEXT} characters, or several`);
  }
};
