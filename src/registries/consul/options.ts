import type { Agent } from 'node:http';
import { systemRuntime, type Runtime } from '../../core/runtime.js';
import { unknownKey, requireNumber, requireText, requireToken, shown } from './checks.js';

/** A client made by the `consul` package, version 2. */
export interface ConsulClient {
  readonly agent: object;
  readonly health: object;
}

export interface ConsulRegistryOptions {
  /** Where the agent answers, http or https; a path is a prefix before `/v1`. @default 'http://127.0.0.1:8500' */
  readonly url?: string | undefined;
  /** The ACL token sent with every request. Without one, Consul under default-deny answers "no instances". */
  readonly token?: string | undefined;
  /** Reads another datacenter than the agent's own. Registrations always go to the agent. */
  readonly datacenter?: string | undefined;
  /** Consul Enterprise: the namespace read and registered in. */
  readonly namespace?: string | undefined;
  /** Where CA, client certificate and proxies are set: an `https.Agent` for an https url. It is never destroyed here. */
  readonly agent?: Agent | undefined;
  /** Your own client of the `consul` package, instead of `url` and `agent`. It is never destroyed here. */
  readonly client?: ConsulClient | undefined;
  /** Lists only instances that carry all of these tags. */
  readonly tags?: readonly string[] | undefined;
  /**
   * `true`: Consul leaves out what is not passing, which saves bytes where many are critical. `includeWarning` of a
   * service client then finds no warning ones. @default false
   */
  readonly passingOnly?: boolean | undefined;
  /** Sorts by round trip from this node; `'_agent'`: from the agent. Balancers do not mind the order. */
  readonly near?: string | undefined;
  /** `'stale'`: any server answers, even without a leader; `'consistent'`: the leader asks its peers first. @default 'default' */
  readonly consistency?: 'default' | 'stale' | 'consistent' | undefined;
  /** How long Consul holds a watch's request when nothing changes, in ms, 1 000–600 000. @default 30_000 */
  readonly waitMs?: number | undefined;
  /** How long a request may take that Consul answers at once, in ms, 100–60 000. @default 5_000 */
  readonly requestTimeoutMs?: number | undefined;
  /** Time and chance of registrations; watches use their reader's. @default the system's */
  readonly runtime?: Runtime | undefined;
}

/** Options with defaults filled in, checked once. */
export interface Settings {
  /** Without a trailing slash. */
  readonly url: string;
  readonly token: string | undefined;
  readonly namespace: string | undefined;
  readonly agent: Agent | undefined;
  readonly client: ConsulClient | undefined;
  /** What every read of a service asks for. */
  readonly query: Readonly<Record<string, string | readonly string[]>>;
  readonly waitMs: number;
  readonly requestTimeoutMs: number;
  readonly runtime: Runtime;
}

const DEFAULT_URL = 'http://127.0.0.1:8500';
const KNOWN: Record<keyof ConsulRegistryOptions, true> = {
  ...{ url: true, token: true, datacenter: true, namespace: true, agent: true, client: true, tags: true },
  ...{ passingOnly: true, near: true, consistency: true, waitMs: true, requestTimeoutMs: true, runtime: true },
};
const HINTS: Record<string, string> = {
  host: "url: 'http://HOST:PORT'",
  port: "url: 'http://HOST:PORT'",
  secure: "url: 'https://HOST:PORT'",
  urls: "url: 'http://HOST:PORT', one agent",
  tag: "tags: ['TAG']",
  dc: 'datacenter',
  includeWarning: 'includeWarning of createServiceClient or DiscoveryClient',
};

export const resolveOptions = (options: ConsulRegistryOptions = {}): Settings => {
  if (typeof options !== 'object' || options === null)
    throw new TypeError(`consulRegistry: expected options such as { url: '${DEFAULT_URL}' }, got ${shown(options)}`);
  const unknown = unknownKey(options, KNOWN);
  if (unknown !== undefined) {
    const hint = HINTS[unknown];
    const right = hint === undefined ? `there are ${Object.keys(KNOWN).join(', ')}` : `use ${hint}`;
    throw new TypeError(`consulRegistry: ${unknown}: no such option; ${right}`);
  }
  const { url, client, agent, waitMs = 30_000, requestTimeoutMs = 5_000 } = options;
  requireNumber('consulRegistry: waitMs', waitMs, { min: 1_000, max: 600_000 });
  requireNumber('consulRegistry: requestTimeoutMs', requestTimeoutMs, { min: 100, max: 60_000 });
  if (client !== undefined) requireClient(options);
  const base = baseOf(url ?? DEFAULT_URL);
  if (agent !== undefined) requireAgent(agent, base);
  const { token, namespace, runtime = systemRuntime } = options;
  if (token !== undefined) requireToken('consulRegistry: token', token);
  for (const name of ['namespace', 'datacenter', 'near'] as const)
    if (options[name] !== undefined) requireText(`consulRegistry: ${name}`, options[name]);
  return { url: base, token, namespace, agent, client, query: queryOf(options), waitMs, requestTimeoutMs, runtime };
};

const baseOf = (url: unknown): string => {
  const expected = `expected an http or https URL such as ${DEFAULT_URL}`;
  // What is not a URL may hold a password all the same: such a value is not repeated.
  const given = typeof url === 'string' && url.includes('@') ? 'one with a user name' : shown(url);
  const parsed = typeof url === 'string' && URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !['http:', 'https:'].includes(parsed.protocol))
    throw new TypeError(`consulRegistry: url: ${expected}, got ${given}`);
  if (parsed.username !== '' || parsed.password !== '')
    throw new TypeError('consulRegistry: url: user name and password are not used; give the ACL token as token');
  if (parsed.search !== '' || parsed.hash !== '')
    throw new TypeError(`consulRegistry: url: ${expected}, without ? and #, got ${given}`);
  const path = parsed.pathname.replace(/\/+$/, '');
  if (path.endsWith('/v1')) throw new TypeError(`consulRegistry: url: ${expected}; /v1 is added, got ${given}`);
  return parsed.origin + path;
};

const requireClient = ({ client, url, agent }: ConsulRegistryOptions): void => {
  const raw = client as unknown as Record<string, unknown> | null;
  if (typeof raw !== 'object' || typeof raw?.['_get'] !== 'function' || typeof raw['_put'] !== 'function')
    throw new TypeError(`consulRegistry: client: expected new Consul(…) of the consul package 2, got ${shown(client)}`);
  if (url !== undefined || agent !== undefined)
    throw new TypeError('consulRegistry: client: comes instead of url and agent, which it has of its own');
};

const requireAgent = (agent: Agent, base: string): void => {
  const raw = agent as { destroy?: unknown; protocol?: unknown } | null;
  const wanted = new URL(base).protocol;
  if (typeof raw !== 'object' || typeof raw?.destroy !== 'function')
    throw new TypeError(`consulRegistry: agent: expected an http.Agent or https.Agent, got ${shown(agent)}`);
  if (raw.protocol !== undefined && raw.protocol !== wanted)
    throw new TypeError(`consulRegistry: agent: is for ${shown(raw.protocol)}, the url for ${shown(wanted)}`);
};

const queryOf = (options: ConsulRegistryOptions): Settings['query'] => {
  const { datacenter, namespace, near, tags, passingOnly, consistency = 'default' } = options;
  if (!['default', 'stale', 'consistent'].includes(consistency))
    throw new TypeError(
      `consulRegistry: consistency: expected default, stale or consistent, got ${shown(consistency)}`,
    );
  if (passingOnly !== undefined && typeof passingOnly !== 'boolean')
    throw new TypeError(`consulRegistry: passingOnly: expected a boolean, got ${shown(passingOnly)}`);
  if (tags !== undefined && !Array.isArray(tags))
    throw new TypeError(`consulRegistry: tags: expected an array of strings, got ${shown(tags)}`);
  tags?.forEach((tag, at) => requireText(`consulRegistry: tags[${at}]`, tag));
  return {
    ...(datacenter === undefined ? {} : { dc: datacenter }),
    ...(namespace === undefined ? {} : { ns: namespace }),
    ...(near === undefined ? {} : { near }),
    ...(tags === undefined || tags.length === 0 ? {} : { tag: tags }),
    ...(passingOnly === true ? { passing: '1' } : {}),
    ...(consistency === 'default' ? {} : { [consistency]: '1' }),
  };
};
