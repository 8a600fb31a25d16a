import { context, SpanKind, trace, type Attributes } from '@opentelemetry/api';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-node';
import { createServiceClient, staticRegistry, type ServiceClient } from 'fairlead';
import { inbound, tracing } from 'fairlead/opentelemetry';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

// The whole of it: the global fetch of Node, OpenTelemetry's own instrumentation of it, its SDK, and real servers. The one
// thing to show is that each attempt is one CLIENT span and carries one traceparent, that of the span.
const exporter = new InMemorySpanExporter();
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const instrumentation = new UndiciInstrumentation();

const closing: (() => Promise<unknown>)[] = [];

beforeAll(() => {
  provider.register();
  instrumentation.setTracerProvider(provider);
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  exporter.reset();
});
afterAll(async () => {
  instrumentation.disable();
  await provider.shutdown();
});

type Handler = (request: IncomingMessage, response: ServerResponse) => unknown;

const serve = async (handler: Handler): Promise<number> => {
  const server = createServer((request, response) => void handler(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => {
    server.closeAllConnections();
    await new Promise(resolve => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
};

const clientOf = (service: string, ports: readonly number[], options = {}): ServiceClient => {
  const registry = staticRegistry(ports.map(port => ({ address: '127.0.0.1', port })));
  const client = createServiceClient({ service, registry, instruments: [tracing(options)] });
  closing.push(() => client.close());
  return client;
};

/** All values of a header, as they came over the wire. */
const valuesOf = ({ rawHeaders }: IncomingMessage, name: string): string[] =>
  rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]!.toLowerCase() === name);

const clientSpans = (): ReadableSpan[] => exporter.getFinishedSpans().filter(({ kind }) => kind === SpanKind.CLIENT);
const traceparentOf = (span: ReadableSpan): string => {
  const { traceId, spanId } = span.spanContext();
  return `00-${traceId}-${spanId}-01`;
};

describe('beside the instrumentation of undici', () => {
  it('each attempt is one CLIENT span, and one traceparent arrives', async () => {
    const arrived: string[][] = [];
    const port = await serve((request, response) => {
      arrived.push(valuesOf(request, 'traceparent'));
      response.writeHead(arrived.length === 1 ? 503 : 200).end('ok');
    });
    const users = clientOf('users', [port]);
    expect(await (await users.fetch('/users/42?token=abc')).text()).toBe('ok');

    expect(clientSpans()).toHaveLength(2);
    expect(arrived).toEqual(clientSpans().map(span => [traceparentOf(span)]));
    expect(clientSpans().map(({ attributes }): Attributes => attributes)).toMatchObject([
      {
        'http.response.status_code': 503,
        'error.type': '503',
        'url.full': `http://127.0.0.1:${port}/users/42?token=REDACTED`,
      },
      { 'http.response.status_code': 200, 'http.request.resend_count': 1 },
    ]);
  });

  it('a call without fairlead is still its business', async () => {
    const arrived: string[][] = [];
    const port = await serve((request, response) => {
      arrived.push(valuesOf(request, 'traceparent'));
      response.end('ok');
    });
    await (await fetch(`http://127.0.0.1:${port}/`)).text();
    expect(clientSpans()).toHaveLength(1);
    expect(arrived).toEqual([[traceparentOf(clientSpans()[0]!)]]);
  });

  it('would double both, were it not kept silent', async () => {
    const arrived: string[][] = [];
    const port = await serve((request, response) => {
      arrived.push(valuesOf(request, 'traceparent'));
      response.end('ok');
    });
    const users = clientOf('users', [port], { suppressInstrumentation: false });
    await (await users.fetch('/')).text();
    await expect.poll(() => clientSpans().length).toBe(2);
    expect(arrived[0]).toHaveLength(2);
  });

  it('with inject: false and nothing suppressed, the headers are the instrumentation’s alone', async () => {
    const arrived: string[][] = [];
    const port = await serve((request, response) => {
      arrived.push(valuesOf(request, 'traceparent'));
      response.end('ok');
    });
    const users = clientOf('users', [port], { inject: false, suppressInstrumentation: false });
    await (await users.fetch('/')).text();
    expect(arrived[0]).toHaveLength(1);
  });

  it('a trace that is not recorded arrives as one traceparent too', async () => {
    const arrived: string[][] = [];
    const port = await serve((request, response) => {
      arrived.push(valuesOf(request, 'traceparent'));
      response.end('ok');
    });
    const users = clientOf('users', [port]);
    const [traceId, spanId] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'];
    const dropped = trace.setSpanContext(context.active(), { traceId, spanId, traceFlags: 0 });
    await context.with(dropped, async () => (await users.fetch('/')).text());
    expect(arrived).toEqual([[`00-${traceId}-${spanId}-00`]]);
    expect(exporter.getFinishedSpans()).toEqual([]);
  });
});

describe('a service that calls another', () => {
  it('is one trace: the client’s span, the server’s below it, and what that calls below this', async () => {
    const users = clientOf('users', [
      await serve((request, response) => inbound(request, () => response.end('ann'), { response })),
    ]);
    const orders = clientOf('orders', [
      await serve((request, response) =>
        inbound(
          request,
          async ctx => {
            ctx.setAttribute('user_id', '123').addEvent('processing started');
            response.end(await (await users.fetch('/users/123')).text());
          },
          { response, route: '/orders/:id' },
        ),
      ),
    ]);
    expect(await (await orders.fetch('/orders/7')).text()).toBe('ann');
    await expect.poll(() => exporter.getFinishedSpans().length).toBe(6);

    const spans = exporter.getFinishedSpans();
    expect(new Set(spans.map(span => span.spanContext().traceId)).size).toBe(1);
    const path: string[] = [];
    let at = spans.find(({ parentSpanContext }) => parentSpanContext === undefined);
    while (at !== undefined) {
      const { spanId } = at.spanContext();
      path.push(`${SpanKind[at.kind]} ${at.name}`);
      at = spans.find(({ parentSpanContext }) => parentSpanContext?.spanId === spanId);
    }
    expect(path).toEqual([
      'INTERNAL GET orders',
      'CLIENT GET',
      'SERVER GET /orders/:id',
      'INTERNAL GET users',
      'CLIENT GET',
      'SERVER GET',
    ]);
    const served = spans.find(({ name }) => name === 'GET /orders/:id')!;
    expect(served.attributes).toMatchObject({ user_id: '123', 'http.response.status_code': 200 });
  });
});
