import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reservePorts } from '../../servers/ports.js';
import { startCollector, type Collector } from './collectors.js';
import { bundle, type Program } from './programs.js';
import { treeOf, type Collected } from './spans.js';

/** The services of examples/tracing: three processes, each calling on with fairlead. */
const NAMES = ['users', 'orders', 'gateway'] as const;

let programs: Program[];
beforeAll(async () => {
  programs = await Promise.all(NAMES.map(name => bundle(`examples/tracing/${name}`)));
});
afterAll(() => Promise.all((programs ?? []).map(program => program[Symbol.asyncDispose]())));

/** Resolves when it listens. */
const launch = async ({ file }: Program, env: Readonly<Record<string, string>>): Promise<ChildProcess> => {
  const child = spawn(process.execPath, [file], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const died = once(child, 'exit').then(([code]) => {
    throw new Error(`${file} ended with ${code}`);
  });
  died.catch(() => undefined);
  await Promise.race([once(child.stdout, 'data'), died]);
  return child;
};

const end = async (child: ChildProcess): Promise<unknown> => {
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const [code] = (await ended) as unknown[];
  return code;
};

interface Chain {
  readonly url: string;
  /** Resolves with the exit codes, when all spans are out. */
  stop(): Promise<unknown[]>;
}

const startChain = async (exporter: Readonly<Record<string, string>>): Promise<Chain> => {
  const ports = await reservePorts(3);
  const [users, orders, gateway] = ports.map(port => `127.0.0.1:${port}`) as [string, string, string];
  const children: ChildProcess[] = [];
  try {
    for (const [at, program] of programs.entries())
      children.push(await launch(program, { ...exporter, PORT: String(ports[at]), USERS: users, ORDERS: orders }));
  } catch (error) {
    children.forEach(child => child.kill('SIGKILL'));
    throw error;
  }
  return { url: `http://${gateway}`, stop: () => Promise.all(children.map(end)) };
};

const exporters: [string, (collector: Collector) => Record<string, string>, string][] = [
  [
    'by the Jaeger exporter, decoded by the definition of Jaeger',
    ({ url }) => ({ OTEL_TRACES_EXPORTER: 'jaeger', OTEL_EXPORTER_JAEGER_ENDPOINT: `${url}/api/traces` }),
    'application/x-thrift',
  ],
  ['by OTLP', ({ url }) => ({ OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_ENDPOINT: url }), 'application/json'],
];

const TREE = [
  'gateway SERVER GET http.response.status_code=200',
  '  gateway INTERNAL GET orders http.response.status_code=200',
  '    gateway CLIENT GET http.response.status_code=200',
  '      orders SERVER GET http.response.status_code=200',
  '        orders INTERNAL GET users http.response.status_code=200',
  '          orders CLIENT GET http.response.status_code=503 ERROR',
  '            users SERVER GET http.response.status_code=503 ERROR',
  '          orders CLIENT GET http.response.status_code=200 http.request.resend_count=1',
  '            users SERVER GET http.response.status_code=200',
];

const ofTrace = (collector: Collector, traceId: string): Collected[] =>
  collector.spans.filter(span => span.traceId === traceId);
const KEYS = ['http.response.status_code', 'http.request.resend_count'];

describe('gateway → orders → users, three processes: one trace, the retry in it', () => {
  test.each(exporters)('%s', async (_name, environment, type) => {
    await using collector = await startCollector();
    const chain = await startChain(environment(collector));
    const response = await fetch(`${chain.url}/orders/7`);
    const { traceId, order } = (await response.json()) as { traceId: string; order: unknown };
    const traceparent = `00-${'c'.repeat(32)}-${'d'.repeat(16)}-01`;
    await (await fetch(`${chain.url}/orders/8`, { headers: { traceparent } })).text();
    expect(await chain.stop()).toEqual([0, 0, 0]);

    expect(order).toEqual({ id: '7', user: { id: 42, name: 'Ann' } });
    expect(new Set(collector.posts.map(post => post.type))).toEqual(new Set([type]));
    expect(new Set(collector.spans.map(span => span.traceId))).toEqual(new Set([traceId, 'c'.repeat(32)]));
    const spans = ofTrace(collector, traceId);
    expect(treeOf(spans, KEYS)).toEqual(TREE);
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length);

    // Who had begun a trace gets the same below its own span.
    const caller = 'd'.repeat(16);
    const continued = ofTrace(collector, 'c'.repeat(32)).map(span =>
      span.parentId === caller ? { ...span, parentId: undefined } : span,
    );
    expect(treeOf(continued, KEYS)).toEqual(TREE);

    const handled = spans.find(({ service, kind }) => service === 'gateway' && kind === 'SERVER');
    expect(handled).toMatchObject({ attributes: { 'shop.tenant': 'blue' }, events: ['order found'] });
    const [call] = spans.filter(({ service, kind }) => service === 'orders' && kind === 'INTERNAL');
    expect(call?.events).toContain('fairlead.retry');
  });
});
