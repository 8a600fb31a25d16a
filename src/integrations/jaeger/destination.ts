/** Where spans go, by options and environment. */
import type { SpanExporter } from '@opentelemetry/sdk-trace-node';
import * as check from '../../core/check.js';
import { endpointOf, type Endpoint, type Login } from './endpoint.js';
import type { EnvironmentReader } from './environment.js';
import type { StartTracingOptions } from './options.js';

interface Agent {
  readonly host: string;
  readonly port: number;
}
export type Destination =
  | { readonly kind: 'none' }
  | { readonly kind: 'given'; readonly exporter: SpanExporter }
  | { readonly kind: 'jaeger'; readonly to: Endpoint | Agent }
  | { readonly kind: 'otlp'; readonly to: Endpoint; readonly headers: Readonly<Record<string, string>> };

const JAEGER_ENDPOINT = 'http://localhost:14268/api/traces';
const OTLP_ENDPOINT = 'http://localhost:4318/v1/traces';
const AGENT = { host: 'localhost', port: 6832 };
const HIGHEST_PORT = 65_535;

export const destinationOf = (given: StartTracingOptions, env: EnvironmentReader): Destination => {
  checkForms(given);
  const exporter = given.exporter ?? (given.agent === undefined ? exporterFrom(env) : 'jaeger');
  refuseUnused(given, exporter);
  if (exporter === 'jaeger') return { kind: 'jaeger', to: jaegerFrom(given, env) };
  if (exporter === 'otlp') return { kind: 'otlp', to: otlpFrom(given, env), headers: given.headers ?? {} };
  return exporter === 'none' ? { kind: 'none' } : { kind: 'given', exporter };
};

const checkForms = ({ exporter, endpoint, agent, username, password, headers }: StartTracingOptions): void => {
  if (typeof exporter === 'object') check.hasMethods('exporter', exporter, ['export', 'shutdown']);
  else check.oneOf('exporter', exporter, ['jaeger', 'otlp', 'none']);
  check.ofType('username', username, 'string');
  // Never shown, whatever it is.
  if (password !== undefined && typeof password !== 'string') throw new TypeError('password: expected a string');
  if ((username === undefined) !== (password === undefined))
    throw new TypeError(`${username === undefined ? 'username' : 'password'}: is missing; they go together`);
  check.object('agent', agent, { known: ['host', 'port'], hint: "; such as { host: 'localhost', port: 6832 }" });
  check.ofType('agent.host', agent?.host, 'string');
  check.number('agent.port', agent?.port, { min: 1, max: HIGHEST_PORT, integer: true });
  if (agent !== undefined && endpoint !== undefined)
    throw new TypeError('agent: spans go to an agent by UDP or to an endpoint by HTTP; give one of them');
  if (headers === undefined) return;
  if (
    typeof headers !== 'object' ||
    headers === null ||
    Object.values(headers).some(value => typeof value !== 'string')
  )
    throw new TypeError('headers: expected an object of strings, by name');
};

/** What would be given in vain is a mistake. */
const refuseUnused = (given: StartTracingOptions, exporter: unknown): void => {
  const name = typeof exporter === 'string' ? `exporter '${exporter}'` : 'an exporter of your own';
  const refuse = (used: boolean, options: readonly (keyof StartTracingOptions)[]): void => {
    for (const option of used ? [] : options)
      if (given[option] !== undefined) throw new TypeError(`${option}: ${name} has no use for it`);
  };
  refuse(exporter === 'jaeger', ['agent']);
  refuse(exporter === 'otlp', ['headers']);
  refuse(exporter === 'jaeger' || exporter === 'otlp', ['endpoint', 'username', 'password']);
  if (given.agent !== undefined && given.username !== undefined)
    throw new TypeError('username: UDP, which agent asks for, has no authentication');
};

const exporterFrom = (env: EnvironmentReader): 'jaeger' | 'otlp' | 'none' => {
  const names = env.list('OTEL_TRACES_EXPORTER') ?? ['jaeger'];
  const [first = 'jaeger', ...others] = names.filter(name => name === 'jaeger' || name === 'otlp' || name === 'none');
  const left = [...names.filter(name => !['jaeger', 'otlp', 'none'].includes(name)), ...others];
  if (left.length > 0)
    env.problem(`OTEL_TRACES_EXPORTER: ${left.map(check.shown).join(', ')} left out, ${first} is used`);
  return first;
};

const jaegerFrom = (given: StartTracingOptions, env: EnvironmentReader): Endpoint | Agent => {
  if (given.agent !== undefined) return { host: given.agent.host ?? AGENT.host, port: given.agent.port ?? AGENT.port };
  const login = loginOf(given) ?? {
    username: env.text('OTEL_EXPORTER_JAEGER_USER'),
    password: env.text('OTEL_EXPORTER_JAEGER_PASSWORD'),
  };
  const endpoint = given.endpoint ?? env.text('OTEL_EXPORTER_JAEGER_ENDPOINT');
  const host = env.text('OTEL_EXPORTER_JAEGER_AGENT_HOST');
  const port = env.number(['OTEL_EXPORTER_JAEGER_AGENT_PORT'], 1);
  if (endpoint === undefined && given.username === undefined && (host !== undefined || port !== undefined))
    return { host: host ?? AGENT.host, port: port ?? AGENT.port };
  const to =
    given.endpoint === undefined
      ? fromVariable('OTEL_EXPORTER_JAEGER_ENDPOINT', endpoint, { usual: JAEGER_ENDPOINT, env })
      : endpointOf('endpoint', given.endpoint, JAEGER_ENDPOINT);
  return withLogin(to, login);
};

const otlpFrom = (given: StartTracingOptions, env: EnvironmentReader): Endpoint => {
  const login = loginOf(given) ?? {};
  if (given.endpoint !== undefined) return withLogin(endpointOf('endpoint', given.endpoint, OTLP_ENDPOINT), login);
  const own = 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT';
  const text = env.text(own);
  // As OpenTelemetry wants it: this one is used as it is, the one that is shared with metrics and logs gets a path.
  if (text !== undefined)
    return withLogin(fromVariable(own, text, { usual: new URL('/', OTLP_ENDPOINT).href, env }), login);
  const shared = 'OTEL_EXPORTER_OTLP_ENDPOINT';
  const base = env.text(shared);
  const whole = base === undefined ? undefined : `${base.replace(/\/+$/, '')}/v1/traces`;
  return withLogin(fromVariable(shared, whole, { usual: OTLP_ENDPOINT, env }), login);
};

/** A variable that cannot be used counts as not set. */
const fromVariable = (
  variable: string,
  text: string | undefined,
  { usual, env }: { usual: string; env: EnvironmentReader },
): Endpoint => {
  if (text === undefined) return { url: usual, login: undefined };
  try {
    return endpointOf(variable, text, usual);
  } catch (error) {
    env.problem(`${(error as Error).message}; ${usual} is used`);
    return { url: usual, login: undefined };
  }
};

const loginOf = ({ username, password }: StartTracingOptions): Login | undefined =>
  username === undefined || password === undefined ? undefined : { username, password };

const withLogin = (
  { url, login }: Endpoint,
  { username, password }: Partial<Record<keyof Login, string | undefined>>,
): Endpoint => ({
  url,
  login: username === undefined || password === undefined ? login : { username, password },
});
