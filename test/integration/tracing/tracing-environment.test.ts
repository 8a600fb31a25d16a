import { startTracing } from 'fairlead/jaeger';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { startAgent, startCollector } from './collectors.js';
import { oneSpan, start } from './start.js';

describe('by the environment', () => {
  afterEach(() => vi.unstubAllEnvs());

  test('name, attributes, sampler, exporter and place', async () => {
    await using collector = await startCollector();
    vi.stubEnv('OTEL_SERVICE_NAME', 'payments');
    vi.stubEnv('OTEL_RESOURCE_ATTRIBUTES', 'service.name=other,team=blue');
    vi.stubEnv('OTEL_TRACES_EXPORTER', 'otlp');
    vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', collector.url);
    vi.stubEnv('OTEL_EXPORTER_OTLP_HEADERS', 'authorization=Bearer%20sesame');
    const { tracer, shutdown } = startTracing({ register: false });
    oneSpan(tracer);
    await shutdown();
    expect(collector.spans).toMatchObject([{ service: 'payments', attributes: { team: 'blue' } }]);
    expect(collector.posts).toMatchObject([{ path: '/v1/traces', authorization: 'Bearer sesame' }]);
    vi.stubEnv('OTEL_TRACES_SAMPLER', 'always_off');
    expect(startTracing({ register: false }).tracer.startSpan('a').isRecording()).toBe(false);
    expect(startTracing({ register: false, sampler: 1 }).tracer.startSpan('a').isRecording()).toBe(true);
  });

  test('an agent is used although an endpoint stands there, when it is asked for', async () => {
    await using agent = await startAgent();
    vi.stubEnv('OTEL_EXPORTER_JAEGER_ENDPOINT', 'http://127.0.0.1:1/api/traces');
    const { tracer, shutdown } = start({ agent: { host: '127.0.0.1', port: agent.port } });
    oneSpan(tracer);
    await shutdown();
    await vi.waitFor(() => expect(agent.spans).toHaveLength(1));
    expect(process.env['OTEL_EXPORTER_JAEGER_ENDPOINT']).toBe('http://127.0.0.1:1/api/traces');
  });

  test('disabled: nothing is recorded', async () => {
    vi.stubEnv('OTEL_SDK_DISABLED', 'true');
    const { tracer, provider, flush, shutdown } = start({});
    expect([tracer.startSpan('a').isRecording(), provider]).toEqual([false, undefined]);
    await flush();
    await shutdown();
  });

  test('no name anywhere is refused', () => {
    vi.stubEnv('OTEL_SERVICE_NAME', '');
    vi.stubEnv('OTEL_RESOURCE_ATTRIBUTES', '');
    expect(() => startTracing({ register: false })).toThrow(
      "serviceName: expected a name such as 'orders', or OTEL_SERVICE_NAME",
    );
  });
});
