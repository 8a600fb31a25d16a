import { describe, expect, test } from 'vitest';
import type { StartTracingOptions } from '../../../../src/integrations/jaeger/options.js';
import { settingsOf } from '../../../../src/integrations/jaeger/settings.js';

type Environment = Record<string, string>;

const settings = (given: StartTracingOptions, environment: Environment = {}) => settingsOf(given, environment);
const destination = (given: StartTracingOptions, environment: Environment = {}): unknown =>
  settings(given, environment).destination;
const to = (url: string, login?: { username: string; password: string }) => ({ url, login });

const JAEGER = 'http://localhost:14268/api/traces';
const OTLP = 'http://localhost:4318/v1/traces';
const LOGIN = { username: 'ann', password: 'open sesame' };
const ENV_LOGIN = { OTEL_EXPORTER_JAEGER_USER: 'ann', OTEL_EXPORTER_JAEGER_PASSWORD: 'open sesame' };
const ENV_AGENT = { OTEL_EXPORTER_JAEGER_AGENT_HOST: 'agent', OTEL_EXPORTER_JAEGER_AGENT_PORT: '6833' };
const ENV_ENDPOINT = { OTEL_EXPORTER_JAEGER_ENDPOINT: 'http://env:14268' };

describe('where Jaeger is', () => {
  const table: [string, StartTracingOptions, Environment, unknown][] = [
    ['by default', {}, {}, to(JAEGER)],
    ['an endpoint', { endpoint: 'https://j:443/a/b' }, {}, to('https://j/a/b')],
    ['an endpoint without a path', { endpoint: 'http://j:14268' }, {}, to('http://j:14268/api/traces')],
    ['an endpoint with a slash', { endpoint: 'http://j:14268/' }, {}, to('http://j:14268/api/traces')],
    ['a login', LOGIN, {}, to(JAEGER, LOGIN)],
    ['a login in the URL', { endpoint: 'http://ann:open%20sesame@j' }, {}, to('http://j/api/traces', LOGIN)],
    ['a login beside that in the URL', { endpoint: 'http://x:y@j', ...LOGIN }, {}, to('http://j/api/traces', LOGIN)],
    [
      'an odd percent sign',
      { endpoint: 'http://a:1%@j' },
      {},
      to('http://j/api/traces', { username: 'a', password: '1%' }),
    ],
    ['the environment', {}, ENV_ENDPOINT, to('http://env:14268/api/traces')],
    ['the login of the environment', {}, { ...ENV_ENDPOINT, ...ENV_LOGIN }, to('http://env:14268/api/traces', LOGIN)],
    ['an option before the environment', { endpoint: 'http://j/x' }, ENV_ENDPOINT, to('http://j/x')],
    ['an agent', { agent: {} }, {}, { host: 'localhost', port: 6832 }],
    ['an agent elsewhere', { agent: { host: 'h', port: 1 } }, {}, { host: 'h', port: 1 }],
    ['an agent before the environment', { agent: {} }, ENV_ENDPOINT, { host: 'localhost', port: 6832 }],
    ['an agent of the environment', {}, ENV_AGENT, { host: 'agent', port: 6833 }],
    [
      'an endpoint before an agent, both of the environment',
      {},
      { ...ENV_ENDPOINT, ...ENV_AGENT },
      to('http://env:14268/api/traces'),
    ],
    ['an option before an agent of the environment', { endpoint: 'http://j' }, ENV_AGENT, to('http://j/api/traces')],
    ['a login before an agent of the environment', LOGIN, ENV_AGENT, to(JAEGER, LOGIN)],
    ['a blank variable', {}, { OTEL_EXPORTER_JAEGER_ENDPOINT: ' ' }, to(JAEGER)],
  ];
  test.each(table)('%s', (_name, given, environment, expected) => {
    expect(destination(given, environment)).toEqual({ kind: 'jaeger', to: expected });
  });
});

describe('where OTLP goes', () => {
  const own = (url: string) => ({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url });
  const shared = (url: string) => ({ OTEL_EXPORTER_OTLP_ENDPOINT: url });
  const table: [string, StartTracingOptions, Environment, unknown][] = [
    ['by default', {}, {}, to(OTLP)],
    ['an endpoint without a path', { endpoint: 'http://o:4318' }, {}, to('http://o:4318/v1/traces')],
    ['an endpoint', { endpoint: 'http://o:4318/x' }, {}, to('http://o:4318/x')],
    ['a login', LOGIN, {}, to(OTLP, LOGIN)],
    ['the shared variable, which is a base', {}, shared('http://o:1/base/'), to('http://o:1/base/v1/traces')],
    ['its own variable, as it is', {}, own('http://o:1'), to('http://o:1/')],
    ['its own before the shared one', {}, { ...shared('http://s'), ...own('http://o:1/x') }, to('http://o:1/x')],
    ['nothing of Jaeger', {}, { ...ENV_ENDPOINT, ...ENV_AGENT, ...ENV_LOGIN }, to(OTLP)],
  ];
  test.each(table)('%s', (_name, given, environment, expected) => {
    expect(destination({ exporter: 'otlp', ...given }, environment)).toEqual({
      kind: 'otlp',
      to: expected,
      headers: {},
    });
  });
});

describe('which exporter', () => {
  const exporter = { export: () => undefined, shutdown: () => Promise.resolve() };
  const table: [string, StartTracingOptions, string | undefined, string][] = [
    ['Jaeger by default', {}, undefined, 'jaeger'],
    ['as the environment says', {}, 'otlp', 'otlp'],
    ['none, as the environment says', {}, 'none', 'none'],
    ['the first of several', {}, 'otlp, jaeger', 'otlp'],
    ['Jaeger for one that there is not', {}, 'zipkin', 'jaeger'],
    ['the option before the environment', { exporter: 'jaeger' }, 'otlp', 'jaeger'],
    ['an agent is asked for', { agent: {} }, 'otlp', 'jaeger'],
    ['none', { exporter: 'none' }, 'otlp', 'none'],
    ['one of the caller', { exporter }, 'otlp', 'given'],
  ];
  test.each(table)('%s', (_name, given, variable, expected) => {
    const environment = variable === undefined ? {} : { OTEL_TRACES_EXPORTER: variable };
    expect(settings(given, environment).destination.kind).toBe(expected);
  });
});

describe('what the environment says besides', () => {
  test('the size and the times of batches', () => {
    const environment = {
      OTEL_BSP_SCHEDULE_DELAY: '1',
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '2',
      OTEL_BSP_MAX_QUEUE_SIZE: '3',
      OTEL_BSP_EXPORT_TIMEOUT: '4',
    };
    const batch = { delayMs: 1, maxBatchSize: 2, maxQueueSize: 3, exportTimeoutMs: 4 };
    expect(settings({}, environment).batch).toEqual(batch);
    const own = { delayMs: 10, maxBatchSize: 20, maxQueueSize: 30, exportTimeoutMs: 40 };
    expect(settings({ batch: own }, environment).batch).toEqual(own);
    expect(settings({}).batch).toEqual({
      delayMs: 5_000,
      maxBatchSize: 512,
      maxQueueSize: 2_048,
      exportTimeoutMs: 10_000,
    });
  });

  test('a batch is no larger than a queue that was given', () => {
    expect(settings({ batch: { maxQueueSize: 10 } }).batch.maxBatchSize).toBe(10);
  });

  test('the time of an exporter', () => {
    const environment = { OTEL_EXPORTER_JAEGER_TIMEOUT: '1', OTEL_EXPORTER_OTLP_TIMEOUT: '2' };
    expect(settings({ exporter: 'jaeger' }, environment).batch.exportTimeoutMs).toBe(1);
    expect(settings({ exporter: 'otlp' }, environment).batch.exportTimeoutMs).toBe(2);
  });

  test('propagators, by the names of OpenTelemetry', () => {
    const propagators = (names?: string) =>
      settings({}, names === undefined ? {} : { OTEL_PROPAGATORS: names }).propagators;
    expect(propagators()).toEqual(['w3c', 'baggage']);
    expect(propagators('jaeger,tracecontext')).toEqual(['jaeger', 'w3c']);
    expect(propagators('none')).toEqual([]);
    expect(settings({ propagators: ['jaeger'] }, { OTEL_PROPAGATORS: 'none' }).propagators).toEqual(['jaeger']);
  });

  test('the name, and that nothing is to be recorded', () => {
    expect(settings({}, { OTEL_SERVICE_NAME: 'a', OTEL_SDK_DISABLED: 'TRUE' })).toMatchObject({
      serviceName: 'a',
      disabled: true,
    });
    expect(settings({ serviceName: 'b' }, { OTEL_SERVICE_NAME: 'a' })).toMatchObject({
      serviceName: 'b',
      disabled: false,
    });
  });

  const UNUSABLE: [string, string, string][] = [
    ['OTEL_BSP_SCHEDULE_DELAY', '-1', 'OTEL_BSP_SCHEDULE_DELAY: expected a number >= 0, got "-1"; it is ignored'],
    ['OTEL_BSP_MAX_QUEUE_SIZE', 'many', 'OTEL_BSP_MAX_QUEUE_SIZE: expected a number >= 1, got "many"; it is ignored'],
    ['OTEL_PROPAGATORS', 'b3,tracecontext,__proto__', 'OTEL_PROPAGATORS: "b3", "__proto__" left out'],
    ['OTEL_TRACES_EXPORTER', 'zipkin', 'OTEL_TRACES_EXPORTER: "zipkin" left out, jaeger is used'],
    ['OTEL_EXPORTER_JAEGER_ENDPOINT', 'jaeger:14250', `${JAEGER} is used`],
    ['OTEL_EXPORTER_JAEGER_ENDPOINT', 'http://', `${JAEGER} is used`],
  ];
  test.each(UNUSABLE)('%s=%s is a problem, and not used', (name, value, problem) => {
    const { problems, destination, batch } = settings({}, { [name]: value });
    expect(problems).toEqual([expect.stringContaining(problem)]);
    expect({ destination, batch }).toEqual({ destination: settings({}).destination, batch: settings({}).batch });
  });
});

describe('options that cannot be', () => {
  const wrong: [string, unknown, string][] = [
    ['a name of blanks', { serviceName: ' ' }, 'serviceName: expected a name'],
    ['a typo', { servicename: 'a' }, 'servicename: no such option; there are serviceName, exporter'],
    [
      'an exporter that there is not',
      { exporter: 'zipkin' },
      `exporter: expected "jaeger" or "otlp" or "none", got "zipkin"`,
    ],
    [
      'half an exporter',
      { exporter: { export: () => undefined } },
      'exporter: expected an object with a method shutdown()',
    ],
    ['no exporter', { exporter: null }, 'exporter: expected an object with a method export(), got null'],
    [
      'an endpoint of gRPC',
      { endpoint: 'localhost:14250' },
      `endpoint: expected an http or https URL such as ${JAEGER}`,
    ],
    [
      'an endpoint and an agent',
      { endpoint: 'http://j', agent: {} },
      'agent: spans go to an agent by UDP or to an endpoint',
    ],
    [
      'an agent as text',
      { agent: 'localhost' },
      'agent: expected an object, got "localhost"; such as { host: \'localhost\'',
    ],
    ['a port', { agent: { port: 70_000 } }, 'agent.port: expected a whole number >= 1 and <= 65535, got 70000'],
    ['an agent for OTLP', { exporter: 'otlp', agent: {} }, "agent: exporter 'otlp' has no use for it"],
    ['headers for Jaeger', { headers: {} }, "headers: exporter 'jaeger' has no use for it"],
    [
      'an endpoint for nothing',
      { exporter: 'none', endpoint: 'http://j' },
      "endpoint: exporter 'none' has no use for it",
    ],
    ['a login by UDP', { agent: {}, ...LOGIN }, 'username: UDP'],
    ['half a login', { username: 'ann' }, 'password: is missing; they go together'],
    ['headers that are no strings', { exporter: 'otlp', headers: { a: 1 } }, 'headers: expected an object of strings'],
    ['a propagator', { propagators: ['b3'] }, 'propagators[0]: expected "w3c" or "jaeger" or "baggage", got "b3"'],
    ['one propagator', { propagators: 'w3c' }, 'propagators: expected an array such as [\'w3c\'], got "w3c"'],
    ['a share above 1', { sampler: 50 }, 'sampler: expected a number >= 0 and <= 1, got 50'],
    ['a sampler that is none', { sampler: {} }, 'sampler: expected an object with a method shouldSample()'],
    ['attributes', { attributes: ['a'] }, 'attributes: expected an object such as'],
    [
      'a batch larger than the queue',
      { batch: { maxBatchSize: 2, maxQueueSize: 1 } },
      'batch.maxBatchSize: expected at most maxQueueSize (1), got 2',
    ],
    ['no time to export', { batch: { exportTimeoutMs: 0 } }, 'batch.exportTimeoutMs: expected a number > 0'],
    ['an unknown option of batches', { batch: { size: 2 } }, 'batch.size: no such option'],
    ['onError', { onError: 1 }, 'onError: expected a function, got 1'],
  ];
  test.each(wrong)('%s', (_name, given, message) => {
    expect(() => settings(given as StartTracingOptions)).toThrow(message);
  });

  test('show no password', () => {
    const attempts: unknown[] = [
      { endpoint: 'ftp://ann:hunter22@j' },
      { endpoint: 'http://ann:hunter22@j:x' },
      { password: { hunter22: 'hunter22' }, username: 'ann' },
      { exporter: 'none', username: 'ann', password: 'hunter22' },
      { exporter: 'otlp', headers: { authorization: ['hunter22'] } },
    ];
    for (const given of attempts) {
      const error = (() => {
        try {
          return settings(given as StartTracingOptions);
        } catch (caught) {
          return caught;
        }
      })();
      expect(error).toBeInstanceOf(TypeError);
      expect(String(error)).not.toContain('hunter22');
    }
  });
});
