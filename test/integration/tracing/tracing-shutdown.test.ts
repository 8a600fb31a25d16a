import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reservePorts } from '../../servers/ports.js';
import { startCollector } from './collectors.js';
import { bundle, run, type Ended, type Program } from './programs.js';

const CHILD = 'test/integration/tracing/tracing-child';

let program: Program;
beforeAll(async () => {
  program = await bundle(CHILD);
});
afterAll(() => program?.[Symbol.asyncDispose]());

interface Told {
  readonly tookMs: number;
  readonly problems: readonly string[];
  /** What would keep the process alive. */
  readonly held: readonly string[];
}

/** A collector that takes connections and then does as `answer` says. */
const odd = async (answer: (socket: Socket) => void) => {
  const sockets = new Set<Socket>();
  const server = createServer(socket => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => answer(socket));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    sockets.forEach(socket => socket.destroy());
    server.close();
    await once(server, 'close');
  };
  return { url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: stop };
};

const COLLECTORS = {
  dead: async () => {
    const [port = 0] = await reservePorts(1);
    return { url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: () => Promise.resolve() };
  },
  hangs: () => odd(() => undefined),
  'hangs in its answer': () => odd(socket => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{')),
  resets: () => odd(socket => socket.resetAndDestroy()),
  'answers 503': () => odd(socket => socket.end('HTTP/1.1 503 Unavailable\r\ncontent-length: 0\r\n\r\n')),
  'speaks no HTTP': () => odd(socket => socket.end('hello')),
} as const;

interface How {
  readonly env?: Readonly<Record<string, string>>;
  /** For the shutdown. @default 10_000 */
  readonly timeoutMs?: number;
}

const atEnd = async (story: string, options: object, how: How = {}): Promise<Ended & { told: Told }> => {
  const { timeoutMs = 10_000, env = {} } = how;
  const ended = await run(program, { args: [story, JSON.stringify(options), String(timeoutMs)], env });
  return ended as Ended & { told: Told };
};

const all = Object.keys(COLLECTORS) as (keyof typeof COLLECTORS)[];
const cases = (['jaeger', 'otlp'] as const).flatMap(exporter => all.map(collector => [exporter, collector] as const));

const HANGING: readonly string[] = ['hangs', 'hangs in its answer'];

describe.concurrent('a shutdown ends, and lets the process end, whatever the collector does', () => {
  test.each(cases)('%s: the collector %s', async (exporter, collector) => {
    await using there = await COLLECTORS[collector]();
    const timeoutMs = HANGING.includes(collector) ? 300 : 10_000;
    const { code, told, stderr } = await atEnd('shutdown', { exporter, endpoint: there.url }, { timeoutMs });
    expect({ code, stderr, told }).toMatchObject({ code: 0, stderr: '', told: { same: true, held: [] } });
    // The Jaeger exporter takes the status for the answer, and needs no body.
    if (collector === 'hangs in its answer' && exporter === 'jaeger') return;
    expect(told.problems).toEqual([expect.stringContaining(there.url)]);
  });

  test.each(cases.filter(([, collector]) => ['dead', 'hangs', 'answers 503'].includes(collector)))(
    '%s: the collector %s, and a batch is on its way',
    async (exporter, collector) => {
      await using there = await COLLECTORS[collector]();
      const { code, told, stderr } = await atEnd(
        'shutdown while exporting',
        { exporter, endpoint: there.url },
        { timeoutMs: 300 },
      );
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(told.held).toEqual([]);
    },
  );

  test('an agent that nobody listens to, and one that is nowhere', async () => {
    const [port = 0] = await reservePorts(1);
    const nobody = await atEnd('shutdown', { agent: { host: '127.0.0.1', port } });
    expect(nobody).toMatchObject({ code: 0, stderr: '', told: { held: [] } });
    const nowhere = await atEnd('shutdown', { agent: { host: 'nowhere.invalid', port } });
    expect(nowhere).toMatchObject({
      code: 0,
      stderr: '',
      told: { problems: [expect.stringContaining('udp://nowhere.invalid')] },
    });
  });
});

describe.concurrent('a flush', () => {
  test('gives up in time, and says so', async () => {
    await using there = await COLLECTORS.hangs();
    const { code, told } = await atEnd('flush', { endpoint: there.url });
    expect({ code, told }).toMatchObject({ code: 0, told: { held: [] } });
    expect(told.problems).toEqual([
      expect.stringMatching(/not all spans were sent within the 300 ms of flush\(\)$/),
      expect.stringMatching(/not sent within the 100 ms of shutdown\(\) \(1 span lost\)$/),
    ]);
  });

  test('a batch that hangs holds a process without a shutdown only until its bound', async () => {
    await using there = await COLLECTORS.hangs();
    const { code, told } = await atEnd('no shutdown', { endpoint: there.url });
    expect({ code, told }).toMatchObject({ code: 0, told: { held: [] } });
    expect(told.problems).toEqual([expect.stringContaining('no answer within 400 ms (1 span lost)')]);
  });
});

test('without onError the first problem is a warning of the process, without the password', async () => {
  await using there = await COLLECTORS.dead();
  const endpoint = there.url.replace('http://', 'http://ann:hunter22@');
  const { told } = await atEnd('warned', { endpoint });
  const { warnings } = told as unknown as { warnings: string[] };
  expect(warnings).toEqual([
    expect.stringMatching(/^startTracing: http:\/\/127\.0\.0\.1:\d+\/api\/traces: .*ECONNREFUSED/),
  ]);
  expect(JSON.stringify(told)).not.toContain('hunter22');
});

describe('what is global', () => {
  test('is registered, kept when tracing is started twice, and given back', async () => {
    await using collector = await startCollector();
    const { told } = await atEnd('globals', { endpoint: collector.url });
    const off = { recording: false, headers: [] };
    const on = { recording: true, headers: ['traceparent'] };
    expect(told).toMatchObject({ before: off, during: on, afterSecond: on, after: off, restarted: on });
    expect(told.problems).toEqual([
      'startTracing: OpenTelemetry has a tracer provider, a context manager, a propagator already, which stays; is tracing started twice?',
    ]);
  });

  test('propagators are those that were asked for', async () => {
    const { told } = await atEnd('globals', { exporter: 'none', propagators: ['jaeger', 'w3c'] });
    expect(told).toMatchObject({ during: { headers: ['uber-trace-id', 'traceparent'] } });
  });

  test('disabled, traces of others still pass through', async () => {
    const { told } = await atEnd('disabled', {}, { env: { OTEL_SDK_DISABLED: 'true' } });
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    expect(told).toEqual({ passed: { traceparent }, problems: [], held: [] });
  });
});

test('only the packages that are used are needed; one that is missing is named', async () => {
  const optional = ['exporter-jaeger', 'exporter-trace-otlp-http', 'propagator-jaeger'];
  await using lean = await bundle(
    CHILD,
    optional.map(name => `@opentelemetry/${name}`),
  );
  const { told } = await run(lean, { args: ['missing'] });
  const needs = (who: string, name: string) =>
    expect.stringMatching(
      new RegExp(
        `^startTracing with ${who} needs the package @opentelemetry/${name}: npm install "@opentelemetry/${name}@`,
      ),
    ) as unknown;
  expect(told).toEqual({
    '{"exporter":"jaeger"}': needs("exporter 'jaeger'", 'exporter-jaeger'),
    '{"exporter":"otlp"}': needs("exporter 'otlp'", 'exporter-trace-otlp-http'),
    '{"exporter":"none","propagators":["jaeger"]}': needs("the propagator 'jaeger'", 'propagator-jaeger'),
    problems: [],
    held: [],
  });
});
