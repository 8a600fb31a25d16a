import type { Agent } from 'node:http';
import { systemRuntime, type Runtime } from '../../core/runtime.js';
import { unknownKey, requireNumber, requireText, requireToken, shown } from '../shared/checks.js';

/** A client made by the `consul` package, version 2. */
export interface ConsulClient {
  readonly agent: object;
  readonly health: object;
}

export interface ConsulRegistryOptions {
  /** Where the agent answers, http or https; a path is a prefix before `/v1`. @default 'http://127.0.0.1:8500' */
  readonly url?: string | undefined;
  /**
   * Several agents of one datacenter instead of `url`. One is used as long as it answers, then the next, round and round,
   * for reads and for each registration by itself.
   */
  readonly urls?: readonly string[] | undefined;
  /** The ACL token sent with every request. Without one, Consul under default-deny answers "no instances". */
  readonly token?: string | undefined;
  /** Reads another datacenter than the agent's own. Registrations always go to the agent. */
  readonly datacenter?: string | undefined;
  /** Consul Enterprise: the namespace read and registered in. */
  readonly namespace?: string | undefined;
  /** Where CA, client certificate and proxies are set: an `https.Agent` for an https url. It is never destroyed here. */
  readonly agent?: Agent | undefined;
  /** Your own client of the `consul` package, instead of `url`, `urls` and `agent`. It is never destroyed here. */
  readonly client?: ConsulClient | undefined;
  /** Lists only instances that carry all of these tags. */
  readonly tags?: readonly string[] | undefined;
  /**
   * `true`: Consul leaves out what is not passing, which saves bytes where many are critical. `includeWarning` of a
   * service client then finds no warning ones. @default false
   */
  readonly passingOnly?: boolean | undefined;
  /**
   * Instances are reached at their tagged address of this name, such as `'wan'` from another datacenter or `'lan_ipv6'`;
   * those without it at their plain one.
   */
  readonly taggedAddress?: string | undefined;
  /** Sorts by round trip from this node; `'_agent'`: from the agent. Balancers do not mind the order. */
  readonly near?: string | undefined;
  /** `'stale'`: any server answers, even without a leader; `'consistent'`: the leader asks its peers first. @default 'default' */
  readonly consistency?: 'default' | 'stale' | 'consistent' | undefined;
  /** How long Consul holds a watch's request when nothing changes, in ms, 1 000–600 000. @default 30_000 */
  readonly waitMs?: number | undefined;
  /**
   * How long a request may take that Consul answers at once, in ms, 100–60 000. Several agents share it, with at least
   * 1 000 for each. @default 5_000
   */
  readonly requestTimeoutMs?: number | undefined;
  /** Time and chance of registrations; watches use their reader's. @default the system's */
  readonly runtime?: Runtime | undefined;
}

/** Options with defaults filled in, checked once. */
export interface Settings {
  /** One or more, without a trailing slash. */
  readonly urls: readonly string[];
  readonly token: string | undefined;
  readonly namespace: string | undefined;
  readonly agent: Agent | undefined;
  readonly client: ConsulClient | undefined;
  readonly taggedAddress: string | undefined;
  /** What every read of a service asks for. */
  readonly query: Readonly<Record<string, string | readonly string[]>>;
  readonly waitMs: number;
  readonly requestTimeoutMs: number;
  readonly runtime: Runtime;
}

const DEFAULT_URL = 'http://127.0.0.1:8500';
const KNOWN: Record<keyof ConsulRegistryOptions, true> = {
  ...{ url: true, urls: true, token: true, datacenter: true, namespace: true, agent: true, client: true, tags: true },
  ...{
    taggedAddress: true,
    passingOnly: true,
    near: true,
    consistency: true,
    waitMs: true,
    requestTimeoutMs: true,
    runtime: true,
  },
};
const HINTS: Record<string, string> = {
  host: "url: 'http://HOST:PORT'",
  port: "url: 'http://HOST:PORT'",
  secure: "url: 'https://HOST:PORT'",
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
  const { client, agent, waitMs = 30_000, requestTimeoutMs = 5_000 } = options;
  requireNumber('consulRegistry: waitMs', waitMs, { min: 1_000, max: 600_000 });
  requireNumber('consulRegistry: requestTimeoutMs', requestTimeoutMs, { min: 100, max: 60_000 });
  if (client !== undefined) requireClient(options);
  const bases = basesOf(options);
  if (agent !== undefined) requireAgent(agent, bases);
  const { token, namespace, taggedAddress, runtime = systemRuntime } = options;
  if (token !== undefined) requireToken('consulRegistry: token', token);
  for (const name of ['namespace', 'datacenter', 'near', 'taggedAddress'] as const)
    if (options[name] !== undefined) requireText(`consulRegistry: ${name}`, options[name]);
  return {
    ...{ urls: bases, token, namespace, agent, client, taggedAddress },
    ...{ query: queryOf(options), waitMs, requestTimeoutMs, runtime },
  };
};

const basesOf = ({ url, urls }: ConsulRegistryOptions): readonly string[] => {
  if (urls === undefined) return [baseOf(url ?? DEFAULT_URL, 'url')];
  if (url !== undefined) throw new TypeError('consulRegistry: urls: comes instead of url');
  if (!Array.isArray(urls) || urls.length === 0)
    throw new TypeError(`consulRegistry: urls: expected one or more URLs, got ${shown(urls)}`);
  const bases = urls.map((each, at) => baseOf(each, `urls[${at}]`));
  const twice = bases.find((base, at) => bases.indexOf(base) !== at);
  if (twice !== undefined) throw new TypeError(`consulRegistry: urls: ${twice} is there twice`);
  return bases;
};

const baseOf = (url: unknown, path: string): string => {
  const option = `consulRegistry: ${path}`;
  const expected = `expected an http or https URL such as ${DEFAULT_URL}`;
  // What is not a URL may hold a password all the same: such a value is not repeated.
  const given = typeof url === 'string' && url.includes('@') ? 'one with a user name' : shown(url);
  const parsed = typeof url === 'string' && URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !['http:', 'https:'].includes(parsed.protocol))
    throw new TypeError(`${option}: ${expected}, got ${given}`);
  if (parsed.username !== '' || parsed.password !== '')
    throw new TypeError(`${option}: user name and password are not used; give the ACL token as token`);
  if (parsed.search !== '' || parsed.hash !== '')
    throw new TypeError(`${option}: ${expected}, without ? and #, got ${given}`);
  const prefix = parsed.pathname.replace(/\/+$/, '');
  if (prefix.endsWith('/v1')) throw new TypeError(`${option}: ${expected}; /v1 is added, got ${given}`);
  return parsed.origin + prefix;
};

const requireClient = ({ client, url, urls, agent }: ConsulRegistryOptions): void => {
  const raw = client as unknown as Record<string, unknown> | null;
  if (typeof raw !== 'object' || typeof raw?.['_get'] !== 'function' || typeof raw['_put'] !== 'function')
    throw new TypeError(`consulRegistry: client: expected new Consul(…) of the consul package 2, got ${shown(client)}`);
  if (url !== undefined || urls !== undefined || agent !== undefined)
    throw new TypeError('consulRegistry: client: comes instead of url and agent, which it has of its own');
};

const requireAgent = (agent: Agent, bases: readonly string[]): void => {
  const raw = agent as { destroy?: unknown; protocol?: unknown } | null;
  const other = bases.map(base => new URL(base).protocol).find(protocol => protocol !== raw?.protocol);
  if (typeof raw !== 'object' || typeof raw?.destroy !== 'function')
    throw new TypeError(`consulRegistry: agent: expected an http.Agent or https.Agent, got ${shown(agent)}`);
  if (raw.protocol !== undefined && other !== undefined)
    throw new TypeError(`consulRegistry: agent: is for ${shown(raw.protocol)}, the url for ${shown(other)}`);
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
