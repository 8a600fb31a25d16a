import type { HealthPolicy } from '../../health/health-policy.js';
import * as check from '../../core/check.js';

/** Asks each instance in the background whether it is well. Beside `ejection`, which learns from calls. */
export interface HealthOptions {
  /** `'http'`: a GET of `path`; `'tcp'`: a connection. @default 'http' */
  readonly type?: 'http' | 'tcp' | undefined;
  /** Path and query, starting with `/`. @default '/health' */
  readonly path?: string | undefined;
  /** Sent with each probe. @default none */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Status codes of an instance that is well, 100–599. @default any 2xx */
  readonly expectedStatuses?: readonly number[] | undefined;
  /** From one probe of an instance to the next, in ms, 100–3 600 000, with 10 % of chance. @default 10_000 (Consul's usual) */
  readonly intervalMs?: number | undefined;
  /** A probe that takes longer has failed, in ms, 10–600 000, <= `intervalMs`. @default 2_000 */
  readonly timeoutMs?: number | undefined;
  /** It is out after so many failures in a row, 1–100. @default 3 */
  readonly downAfter?: number | undefined;
  /** … and serves again after so many successes in a row, 1–100. @default 2 */
  readonly upAfter?: number | undefined;
  /** Probes of this client at once, 1–10 000. @default 100 */
  readonly maxConcurrent?: number | undefined;
}

/** What `health: {}` means; without it, nobody is asked. */
export const HEALTH_DEFAULTS: HealthPolicy = Object.freeze({
  type: 'http',
  path: '/health',
  headers: undefined,
  expectedStatuses: undefined,
  intervalMs: 10_000,
  timeoutMs: 2_000,
  downAfter: 3,
  upAfter: 2,
  maxConcurrent: 100,
});

const RANGES = {
  intervalMs: { min: 100, max: 3_600_000 },
  timeoutMs: { min: 10, max: 600_000 },
  downAfter: { min: 1, max: 100, integer: true },
  upAfter: { min: 1, max: 100, integer: true },
  maxConcurrent: { min: 1, max: 10_000, integer: true },
} as const;

export const resolveHealth = (given: HealthOptions | false | undefined): HealthPolicy | false => {
  if (given === undefined || given === false) return false;
  const hint = "; write { path: '/health' }, or false";
  check.object('health', given, { known: Object.keys(HEALTH_DEFAULTS), hint });
  check.oneOf('health.type', given.type, ['http', 'tcp']);
  checkPath(given.path);
  checkHeaders(given.headers);
  checkStatuses(given.expectedStatuses);
  for (const [key, range] of Object.entries(RANGES))
    check.number(`health.${key}`, given[key as keyof typeof RANGES], range);
  const policy = check.filled(HEALTH_DEFAULTS, given);
  if (policy.timeoutMs > policy.intervalMs)
    throw new RangeError(
      `health.timeoutMs: expected at most intervalMs (${policy.intervalMs} ms), got ${policy.timeoutMs}`,
    );
  return policy;
};

const ORIGIN = 'http://instance';

/** As for `fetch`: it must not lead away from the instance. */
const checkPath = (path: unknown): void => {
  check.ofType('health.path', path, 'string');
  if (path === undefined) return;
  const text = path as string;
  const stays = text.startsWith('/') && URL.canParse(text, ORIGIN) && new URL(text, ORIGIN).origin === ORIGIN;
  if (!stays || /[\0-\x20]/.test(text))
    throw new TypeError(`health.path: expected a path that starts with one /, got ${JSON.stringify(text)}`);
};

/** Values may be secrets: they are in no message. */
const checkHeaders = (headers: unknown): void => {
  if (headers === undefined) return;
  const isObject = typeof headers === 'object' && headers !== null;
  if (!isObject || Object.values(headers).some(value => typeof value !== 'string'))
    throw new TypeError('health.headers: expected an object of header names and values');
  try {
    new Headers(headers as Record<string, string>);
  } catch {
    throw new TypeError('health.headers: a name or a value is not valid in HTTP');
  }
};

const checkStatuses = (statuses: unknown): void => {
  if (statuses === undefined) return;
  const valid = (status: unknown): boolean =>
    Number.isInteger(status) && (status as number) >= 100 && (status as number) <= 599;
  if (!Array.isArray(statuses) || statuses.length === 0 || !statuses.every(valid))
    throw new TypeError('health.expectedStatuses: expected an array of status codes, such as [200, 204]');
};
