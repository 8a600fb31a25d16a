import type { HashKey } from './hash-key.js';

export interface ConsistentHashOptions {
  /** What decides where a call goes; `init.fairlead.hashKey` goes before it. Calls without a key are balanced by `p2c()`. */
  readonly key?: HashKey | undefined;
  /**
   * `'ring'`: who joins or leaves moves its own keys only, and costs one pass. `'maglev'`: shares even to 1 %, but a change
   * of members moves up to 1 % more keys and fills a table anew. @default 'ring'
   */
  readonly algorithm?: 'ring' | 'maglev' | undefined;
  /** Points on the ring for each instance of weight 1, 1–10 000; the ring only. @default 160 (ketama) */
  readonly replicas?: number | undefined;
  /**
   * No instance gets more than this times its share of the calls in flight, 1–10: a key too popular for one instance spills
   * over to the next; `false`: no bound. @default false; 1.25 is usual (Vimeo, HAProxy)
   */
  readonly maxLoadRatio?: number | false | undefined;
}

const KNOWN = ['key', 'algorithm', 'replicas', 'maxLoadRatio'];
const KEYS = 'a function, { header }, { cookie }, { path } or { clientIp: true }';

const shown = (value: unknown): string => {
  if (typeof value === 'string') return JSON.stringify(value);
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
};

const wrong = (path: string, expected: string, value: unknown): never => {
  const message = `${path}: expected ${expected}, got ${shown(value)}`;
  throw typeof value === 'number' ? new RangeError(message) : new TypeError(message);
};

/** Throws a TypeError or RangeError that names the option, what was expected and what was given. */
export const checkOptions = (options: ConsistentHashOptions): void => {
  if (typeof options !== 'object' || options === null) wrong('consistentHash: options', 'an object', options);
  for (const option of Object.keys(options))
    if (!KNOWN.includes(option))
      throw new TypeError(`consistentHash: ${option}: no such option; there are ${KNOWN.join(', ')}`);
  const { key, algorithm, replicas, maxLoadRatio } = options;
  checkKey(key, 'consistentHash: key');
  if (algorithm !== undefined && algorithm !== 'ring' && algorithm !== 'maglev')
    wrong('consistentHash: algorithm', "'ring' or 'maglev'", algorithm);
  if (replicas !== undefined && !(Number.isInteger(replicas) && replicas >= 1 && replicas <= 10_000))
    wrong('consistentHash: replicas', 'a whole number, 1–10 000', replicas);
  if (maxLoadRatio === undefined || maxLoadRatio === false) return;
  if (typeof maxLoadRatio !== 'number' || !(maxLoadRatio >= 1 && maxLoadRatio <= 10))
    wrong('consistentHash: maxLoadRatio', 'a number, 1–10 (1.25 is 25 % above the mean), or false', maxLoadRatio);
};

/** Throws a TypeError or RangeError that names the path, what was expected and what was given. */
export const checkKey = (key: unknown, path: string): void => {
  if (key === undefined || typeof key === 'function') return;
  const entries = typeof key === 'object' && key !== null ? Object.entries(key) : [];
  const [name, value] = entries[0] ?? [];
  if (entries.length !== 1 || !['header', 'cookie', 'path', 'clientIp'].includes(name!)) wrong(path, KEYS, key);
  if (name === 'clientIp') {
    if (value !== true) wrong(`${path}.clientIp`, 'true', value);
  } else if (name === 'path') {
    if (!(Number.isInteger(value) && (value as number) >= 0)) wrong(`${path}.path`, 'a whole number >= 0', value);
  } else if (typeof value !== 'string' || value === '') wrong(`${path}.${name}`, 'a name', value);
};
