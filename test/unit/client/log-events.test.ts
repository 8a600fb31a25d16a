import { describe, expect, it, vi } from 'vitest';
import { createServiceClient, memoryRegistry, logEvents, type ClientEvent, type LoggedEvent } from 'fairlead';
import { fakeFetch, testRuntime, type TestRuntime } from 'fairlead/testing';

type Line = readonly [level: string, ...args: unknown[]];

/** A logger that keeps its lines. */
const paper = (more: object = {}) => {
  const lines: Line[] = [];
  const write =
    (level: string) =>
    (...args: unknown[]): void =>
      void lines.push([level, ...args]);
  return { lines, debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error'), ...more };
};

const down = (more: object = {}): ClientEvent => ({
  type: 'instance.down',
  service: 'users',
  at: 0,
  instance: 'b',
  cause: 'calls',
  reason: '5 failures in a row',
  forMs: 5_000,
  ...more,
});

const messages = ({ lines }: { lines: Line[] }): unknown[] => lines.map(line => line[1]);

describe('a line', () => {
  it('is a sentence, and the event as fields under its stable name', () => {
    const log = paper();
    logEvents(log)(down());
    expect(log.lines).toEqual([
      [
        'warn',
        'users: instance b is out for 5 s: 5 failures in a row',
        {
          event: 'instance.down',
          service: 'users',
          at: 0,
          instance: 'b',
          cause: 'calls',
          reason: '5 failures in a row',
          forMs: 5_000,
        },
      ],
    ]);
  });

  it.each(['bindings', 'addSerializers'])('has its fields first for a logger with %s', name => {
    const log = paper({ [name]: () => ({}) });
    logEvents(log)(down());
    expect(log.lines[0]).toEqual([
      'warn',
      expect.objectContaining({ event: 'instance.down' }),
      expect.stringContaining('out for'),
    ]);
  });

  it('has them where the caller wants them', () => {
    const log = paper();
    logEvents(log, { fieldsFirst: true })(down());
    expect(typeof log.lines[0]![1]).toBe('object');
  });

  it('is plain JSON, on one line, and without secrets, whatever an error holds', () => {
    const log = paper();
    const error = Object.assign(new Error('GET http://me:hunter2@consul/v1?token=hunter2\n  [error] forged: hunter'), {
      config: { headers: { authorization: 'Bearer hunter2' } },
      loop: {},
    });
    error.loop = error;
    logEvents(log)({ type: 'registry.lost', service: 'users', at: 0, registry: 'consul', error, retryInMs: Infinity });
    const text = JSON.stringify(log.lines);
    expect(text).not.toContain('hunter2');
    expect(messages(log)[0]).toBe(
      'users: contact with the registry consul is lost, next try in Infinity s: GET http://***@consul/v1?token=***   [error] forged: hunter',
    );
    expect(log.lines[0]![2]).toMatchObject({ retryInMs: null, error: { name: 'Error', code: null } });
  });

  it('has no field that loggers take for the line itself', () => {
    const log = paper();
    const message = 'users: circuit open, retry in 1200 ms';
    logEvents(log)({ type: 'call.refused', service: 'users', at: 0, code: 'CIRCUIT_OPEN', message });
    expect(log.lines[0]!.slice(1)).toEqual([
      'users: call refused: circuit open, retry in 1200 ms',
      { event: 'call.refused', service: 'users', at: 0, code: 'CIRCUIT_OPEN' },
    ]);
  });

  it('names few of many', () => {
    const log = paper();
    const added = Array.from({ length: 10_000 }, (_, index) => `i${index}`);
    logEvents(log)({ type: 'instances.changed', service: 'users', at: 0, known: 10_000, added, removed: [] });
    expect(messages(log)).toEqual(['users: 10000 instances known, 10000 came (i0, i1, i2, i3, i4 and 9995 more)']);
    expect((log.lines[0]![2] as { added: unknown[] }).added).toHaveLength(20);
  });
});

describe('levels', () => {
  const ended = (more: object): ClientEvent => ({
    type: 'call.ended',
    service: 'users',
    at: 0,
    method: 'GET',
    durationMs: 12,
    attempts: 1,
    outcome: 'success',
    servedFrom: 'instance',
    endedBy: 'success',
    status: 200,
    ...more,
  });

  it('a call that goes well is for debugging, one that fails a warning', () => {
    const log = paper();
    const write = logEvents(log);
    write(ended({}));
    write(ended({ outcome: 'failure', status: 503, attempts: 3 }));
    expect(log.lines.map(line => line.slice(0, 2))).toEqual([
      ['warn', 'users: GET ended after 12 ms and 3 attempts: 503'],
    ]);
  });

  it('can be set, for all and for one type', () => {
    const log = paper();
    const write = logEvents(log, { level: 'debug', levels: { 'call.ended': 'info', 'instance.down': false } });
    write(ended({}));
    write(down());
    write({ type: 'call.hedged', service: 'users', at: 0, attempt: 2, afterMs: 40 });
    expect(log.lines.map(([level]) => level)).toEqual(['info', 'debug']);
  });

  it('what is for debugging is left out by a logger that has no debug', () => {
    const { lines, info, warn, error } = paper();
    logEvents({ info, warn, error }, { level: 'debug' })(ended({}));
    expect(lines).toEqual([]);
  });
});

describe('repeats', () => {
  const logged = (runtime: TestRuntime, options: object = {}) => {
    const log = paper();
    return { log, write: logEvents(log, { runtime, ...options }) };
  };

  it('the first is written at once, the others as one line for each interval', async () => {
    const runtime = testRuntime();
    const { log, write } = logged(runtime);
    for (let n = 0; n < 39; n += 1) {
      write(down({ forMs: 1_000 + n }));
      await runtime.advance(100);
    }
    expect(log.lines).toHaveLength(1);
    await runtime.advance(10_000);
    expect(messages(log)).toEqual([
      'users: instance b is out for 1 s: 5 failures in a row',
      'users: instance b is out for 1 s: 5 failures in a row (… 37 more in 10 s)',
    ]);
    expect(log.lines[1]![2]).toMatchObject({ forMs: 1_038, repeats: 37 });
    expect(runtime.pendingTimers).toBe(0);
  });

  it('an interval without repeats is forgotten: the next one is written at once again', async () => {
    const runtime = testRuntime();
    const { log, write } = logged(runtime, { repeatMs: 1_000 });
    for (let n = 0; n < 3; n += 1) {
      write(down());
      await runtime.advance(1_000);
    }
    expect(log.lines).toHaveLength(3);
    expect(runtime.pendingTimers).toBe(0);
  });

  it.each<[string, ClientEvent]>([
    ['another instance', down({ instance: 'c' })],
    ['another service', down({ service: 'orders' })],
    ['another event', { type: 'instance.up', service: 'users', at: 0, instance: 'b', afterMs: 10 }],
  ])('%s is no repeat', (_, other) => {
    const { log, write } = logged(testRuntime());
    write(down());
    write(other);
    expect(log.lines).toHaveLength(2);
  });

  it('are all written with repeatMs: 0', () => {
    const { log, write } = logged(testRuntime(), { repeatMs: 0 });
    write(down());
    write(down());
    expect(log.lines).toHaveLength(2);
  });

  it('memory stays bounded under an endless change of subjects', () => {
    const runtime = testRuntime();
    const { log, write } = logged(runtime);
    for (let n = 0; n < 5_000; n += 1) {
      write(down({ instance: `i${n}` }));
      write(down({ instance: `i${n}` }));
    }
    expect(runtime.pendingTimers).toBeLessThanOrEqual(1_000);
    expect(log.lines).toHaveLength(5_000 + 4_000);
  });
});

it('a logger that throws, or whose promise rejects, becomes one warning of the process', async () => {
  const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  const broken = (): never => {
    throw new Error('disk full');
  };
  const write = logEvents({ info: broken, warn: broken, error: () => Promise.reject(new Error('pipe closed')) });
  write(down());
  write(down({ instance: 'c' }));
  write({ type: 'panic.entered', service: 'users', at: 0, eligible: 1, members: 5 });
  await Promise.resolve();
  expect(warned).toHaveBeenCalledTimes(1);
  warned.mockRestore();
});

describe('with a client', () => {
  const makeClient = (onEvent?: (event: LoggedEvent) => void) => {
    const runtime = testRuntime({ fetch: fakeFetch(() => new Response(null, { status: 503 })) });
    const instances = [{ id: 'a', service: 'users', address: '127.0.0.1', port: 1 }];
    const registry = memoryRegistry({ instances });
    return { runtime, client: createServiceClient({ service: 'users', registry, runtime, onEvent }) };
  };

  it('tells what it does from the first moment on, as onEvent', async () => {
    const log = paper();
    const { runtime, client } = makeClient(logEvents(log));
    void client.fetch('/');
    await runtime.advance(1_000);
    expect(messages(log)).toEqual([
      'users: 1 instance known, 1 came (a)',
      expect.stringMatching(/^users: attempt 1 failed \(.*\), the next one follows in .* ms$/),
      expect.stringMatching(/^users: GET ended after .* ms and 3 attempts: 503$/),
    ]);
  });

  it('tells which options were changed', async () => {
    const log = paper();
    const { runtime, client } = makeClient();
    await runtime.settle();
    logEvents(client, log, { runtime });
    client.update({ route: false });
    client.update({});
    expect(log.lines).toEqual([
      [
        'info',
        'users: options changed: route',
        expect.objectContaining({ event: 'client.updated', options: ['route'] }),
      ],
    ]);
  });

  it('can begin later and end: what was held back is written then', async () => {
    const log = paper();
    const { runtime, client } = makeClient();
    await runtime.settle();
    const stop = logEvents(client, log, { runtime });
    for (let n = 0; n < 3; n += 1) void client.fetch('/', { method: 'POST' });
    await runtime.advance(100);
    expect(log.lines).toHaveLength(1);
    stop();
    expect(messages(log)[1]).toContain('(… 1 more in 10 s)');
    const timers = runtime.pendingTimers;
    void client.fetch('/', { method: 'POST' });
    await runtime.advance(100);
    expect([log.lines.length, runtime.pendingTimers]).toEqual([2, timers]);
    stop();
  });
});

it.each([
  [() => logEvents(undefined as never), 'logEvents: expected a logger such as console, got undefined'],
  [() => logEvents({} as never), 'logEvents: logger: expected an object with a method info()'],
  [() => logEvents(console, { level: 'trace' as never }), 'logEvents.level: expected "debug" or "info"'],
  [() => logEvents(console, { levels: { 'instance.gone': 'info' } as never }), 'instance.gone: no such option'],
  [
    () => logEvents(console, { levels: { 'instance.up': 'loud' as never } }),
    'logEvents.levels["instance.up"]: expected',
  ],
  [() => logEvents(console, { repeatMs: -1 }), 'logEvents.repeatMs: expected a number >= 0, got -1'],
  [() => logEvents(console, { every: 1 } as never), 'logEvents.every: no such option'],
])('a wrong argument is named: %#', (make, message) => {
  expect(make).toThrow(message);
});
