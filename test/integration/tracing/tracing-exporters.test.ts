import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { defaultTextMapGetter, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { InMemorySpanExporter } from '@opentelemetry/sdk-trace-node';
import { startTracing } from 'fairlead/jaeger';
import { describe, expect, test, vi } from 'vitest';
import { startAgent, startCollector } from './collectors.js';
import { oneSpan, start } from './start.js';

const WHAT = {
  service: 'orders',
  name: 'GET',
  kind: 'CLIENT',
  parentId: undefined,
  failed: true,
  events: ['retry'],
};
const ATTRIBUTES = { 'url.full': 'http://users/42', cached: false, 'service.version': '1.2.0' };

describe('a span arrives as it was recorded', () => {
  const attributes = { 'service.version': '1.2.0' };

  test('at a Jaeger collector, over HTTP', async () => {
    await using collector = await startCollector();
    const { tracer, shutdown } = start({ endpoint: collector.url, attributes, username: 'ann', password: 'sesame' });
    oneSpan(tracer);
    await shutdown();
    expect(collector.spans).toEqual([expect.objectContaining(WHAT)]);
    expect(collector.spans[0]?.attributes).toMatchObject({ ...ATTRIBUTES, 'server.port': 8080 });
    const authorization = `Basic ${Buffer.from('ann:sesame').toString('base64')}`;
    expect(collector.posts).toEqual([{ path: '/api/traces', type: 'application/x-thrift', authorization, spans: 1 }]);
  });

  test('at a Jaeger agent, over UDP', async () => {
    await using agent = await startAgent();
    const { tracer, shutdown } = start({ agent: { host: '127.0.0.1', port: agent.port }, attributes });
    oneSpan(tracer);
    await shutdown();
    await vi.waitFor(() => expect(agent.spans).toEqual([expect.objectContaining(WHAT)]));
    expect(agent.spans[0]?.attributes).toMatchObject({ ...ATTRIBUTES, 'server.port': 8080 });
  });

  test('at a collector for OTLP', async () => {
    await using collector = await startCollector();
    const headers = { authorization: 'Bearer sesame' };
    const { tracer, shutdown } = start({ exporter: 'otlp', endpoint: collector.url, attributes, headers });
    oneSpan(tracer);
    await shutdown();
    expect(collector.spans).toEqual([expect.objectContaining(WHAT)]);
    expect(collector.spans[0]?.attributes).toMatchObject({ ...ATTRIBUTES, 'server.port': 8080 });
    expect(collector.posts).toEqual([
      { path: '/v1/traces', type: 'application/json', authorization: 'Bearer sesame', spans: 1 },
    ]);
  });

  test('at an exporter of the caller, which is shut down with the rest', async () => {
    const exporter = new InMemorySpanExporter();
    const closing = vi.spyOn(exporter, 'shutdown');
    const { tracer, flush, shutdown } = start({ exporter, attributes });
    oneSpan(tracer);
    await flush();
    expect(exporter.getFinishedSpans()).toMatchObject([
      { name: 'GET', resource: { attributes: { 'service.name': 'orders', ...attributes } } },
    ]);
    await shutdown();
    expect(closing).toHaveBeenCalledOnce();
  });
});

describe('many spans', () => {
  test('all arrive, in posts of at most 100', async () => {
    await using collector = await startCollector();
    const { tracer, shutdown } = start({ endpoint: collector.url, batch: { maxBatchSize: 300 } });
    for (let n = 0; n < 1_000; n += 1) oneSpan(tracer, `span ${n}`);
    await shutdown();
    expect(new Set(collector.spans.map(({ name }) => name)).size).toBe(1_000);
    expect(Math.max(...collector.posts.map(({ spans }) => spans))).toBeLessThanOrEqual(100);
  });

  test('go to an agent in several packets', async () => {
    await using agent = await startAgent();
    const { tracer, shutdown } = start({ agent: { host: '127.0.0.1', port: agent.port }, batch: { maxBatchSize: 10 } });
    // Few: the kernel drops what does not fit its buffer, and nobody is told.
    for (let n = 0; n < 30; n += 1) oneSpan(tracer, `span ${n}`);
    await shutdown();
    await vi.waitFor(() => expect(new Set(agent.spans.map(({ name }) => name)).size).toBe(30));
  });

  test('a shutdown waits for the batch that was on its way before it', async () => {
    await using collector = await startCollector();
    const { tracer, shutdown } = start({ endpoint: collector.url, batch: { maxBatchSize: 1 } });
    // Sent at once, for the batch is full; the shutdown of the exporter alone would break the connection.
    oneSpan(tracer);
    await shutdown();
    expect(collector.spans).toHaveLength(1);
  });
});

test('a share of the traces is recorded', () => {
  const recorded = (sampler: number): boolean => {
    const { tracer } = start({ exporter: new InMemorySpanExporter(), sampler });
    return tracer.startSpan('a').isRecording();
  };
  expect([recorded(0), recorded(1)]).toEqual([false, true]);
});

describe('headers of Jaeger', () => {
  const W3C = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  const UBER = `${'c'.repeat(32)}:${'d'.repeat(16)}:0:1`;
  const { propagator } = start({ exporter: 'none', propagators: ['w3c', 'jaeger', 'baggage'] });
  const traceOf = (headers: object): string | undefined =>
    trace.getSpanContext(propagator.extract(ROOT_CONTEXT, headers, defaultTextMapGetter))?.traceId;

  test.each([
    ['are read', { 'uber-trace-id': UBER }, 'c'.repeat(32)],
    ['count less than those of the W3C', { 'uber-trace-id': UBER, traceparent: W3C }, 'a'.repeat(32)],
    ['count when those cannot be read', { 'uber-trace-id': UBER, traceparent: 'x' }, 'c'.repeat(32)],
    ['do no harm when they are nonsense', { 'uber-trace-id': '%E0%A4%A:x', traceparent: W3C }, 'a'.repeat(32)],
  ])('%s', (_name, headers, expected) => {
    expect(traceOf(headers)).toBe(expected);
  });
});

test('secrets are in nothing that can be printed', async () => {
  const secrets = {
    endpoint: 'http://ann:hunter22@127.0.0.1:1',
    exporter: 'otlp',
    headers: { token: 'hunter22' },
  } as const;
  const started = startTracing({ register: false, serviceName: 'orders', ...secrets });
  const jaeger = startTracing({ register: false, serviceName: 'orders', username: 'ann', password: 'hunter22' });
  const printed = inspect([started, jaeger], { depth: Infinity, showHidden: true, customInspect: false });
  expect(printed).toContain('SteadyExporter');
  expect(printed).not.toContain('hunter22');
});

test('what a collector says is told without the secrets that it repeats', async () => {
  const server = createServer((request, response) =>
    response.writeHead(403, `not ${String(request.headers['token'])}`).end(),
  );
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const told: string[] = [];
  const onError = ({ message }: Error): void => void told.push(message);
  const { tracer, shutdown } = start({ exporter: 'otlp', endpoint, headers: { token: 'hunter22' }, onError });
  oneSpan(tracer);
  await shutdown();
  server.close();
  expect(told).toEqual([`startTracing: ${endpoint}/v1/traces: not REDACTED (1 span lost)`]);
});

test('times to wait are checked', async () => {
  const { flush, shutdown } = start({ exporter: 'none' });
  await expect(flush({ timeoutMs: 0 })).rejects.toThrow('flush.timeoutMs: expected a number > 0');
  expect(() => shutdown(2_000 as unknown as object)).toThrow(
    'shutdown: expected an object, got 2000, such as { timeoutMs: 2_000 }',
  );
  await shutdown();
});
