import { describe, expect, it, vi } from 'vitest';
import {
  CircuitBreaker,
  REFUSED,
  type CircuitBreakerSettings,
  type CircuitChange,
  type CircuitSnapshot,
} from 'fairlead';
import { testRuntime, type TestRuntime } from 'fairlead/testing';

const make = (settings: CircuitBreakerSettings = {}): { circuit: CircuitBreaker; runtime: TestRuntime } => {
  const runtime = testRuntime();
  return { circuit: new CircuitBreaker({ runtime, ...settings }), runtime };
};
const fail = (): Promise<never> => Promise.reject(new Error('down'));
const times = async (count: number, run: () => Promise<unknown>): Promise<void> => {
  for (let nth = 0; nth < count; nth += 1) await run().catch(() => undefined);
};

describe('the simple form: threshold, timeout, three successes', () => {
  it('opens after so many failures in a row, tries after the time, closes after three successes', async () => {
    const { circuit, runtime } = make({ name: 'mail', consecutiveFailures: 2, openMs: 30_000 });
    await times(2, () => circuit.execute(fail));
    expect(circuit.state).toBe('open');
    await expect(circuit.execute(() => 1)).rejects.toMatchObject({
      code: 'CIRCUIT_OPEN',
      service: 'mail',
      retryAfterMs: 30_000,
      message: 'mail: circuit open, retry in 30000 ms (2 failures in a row)',
    });
    await runtime.advance(30_000);
    expect(circuit.state).toBe('half-open');
    await times(2, () => circuit.execute(() => 1));
    expect(circuit.state).toBe('half-open');
    await expect(circuit.execute(async () => 'sent')).resolves.toBe('sent');
    expect(circuit.state).toBe('closed');
  });

  it('a failure in between opens it again, for the same time', async () => {
    const { circuit, runtime } = make({ consecutiveFailures: 1, openMs: 1_000 });
    await times(1, () => circuit.execute(fail));
    await runtime.advance(1_000);
    await times(2, () => circuit.execute(() => 1));
    await times(1, () => circuit.execute(fail));
    expect(circuit.availableAt).toBe(2_000);
  });

  it('without any settings: five in a row', async () => {
    const { circuit } = make();
    await times(4, () => circuit.execute(fail));
    expect(circuit.state).toBe('closed');
    await times(1, () => circuit.execute(fail));
    expect(circuit.state).toBe('open');
  });
});

describe('execute', () => {
  it('passes on what is given and what is thrown, thrown at once too', async () => {
    const { circuit } = make();
    const down = new Error('down');
    await expect(circuit.execute(() => 7)).resolves.toBe(7);
    await expect(circuit.execute(() => Promise.reject(down))).rejects.toBe(down);
    await expect(
      circuit.execute(() => {
        throw down;
      }),
    ).rejects.toBe(down);
    expect(circuit.counts).toMatchObject({ calls: 3, failures: 2, consecutiveFailures: 2 });
  });

  it('asks isSuccessful, which may say that a call says nothing', async () => {
    const gone = new Error('gone');
    const { circuit } = make({
      isSuccessful: (error, result) => (error === gone ? 'ignored' : error === undefined && result !== 'bad'),
    });
    await times(3, () => circuit.execute(() => 'bad'));
    await times(3, () => circuit.execute(() => Promise.reject(gone)));
    await times(1, () => circuit.execute(() => 'good'));
    expect(circuit.counts).toMatchObject({ failures: 3, consecutiveFailures: 0 });
  });

  it('a rule or listener that throws is as good as none, and becomes a warning', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const broken = (): never => {
      throw new Error('mine');
    };
    const { circuit } = make({ consecutiveFailures: 1, isSuccessful: broken, onStateChange: broken });
    await expect(circuit.execute(() => 1)).resolves.toBe(1);
    await times(1, () => circuit.execute(fail));
    expect(circuit.state).toBe('open');
    expect(warned).toHaveBeenCalledOnce();
    warned.mockRestore();
  });
});

it('gobreaker’s settings under our names do what its documents show', async () => {
  const changes: string[] = [];
  const { circuit, runtime } = make({
    name: 'my-service',
    probes: 3,
    successesToClose: 3,
    windowMs: 10_000,
    openMs: 30_000,
    tripWhen: ({ calls, failures }) => calls >= 3 && failures / calls >= 0.6,
    onStateChange: ({ name, from, to }: CircuitChange) => changes.push(`${name}: ${from} -> ${to}`),
  });
  await times(1, () => circuit.execute(() => 1));
  await times(1, () => circuit.execute(fail));
  expect(circuit.state).toBe('closed');
  await times(1, () => circuit.execute(fail));
  expect(circuit.state).toBe('open');
  await runtime.advance(30_000);
  const tickets = [circuit.enter(), circuit.enter(), circuit.enter()];
  expect(circuit.enter()).toBe(REFUSED);
  for (const ticket of tickets) circuit.leave(ticket, 'success');
  expect(changes).toEqual([
    'my-service: closed -> open',
    'my-service: open -> half-open',
    'my-service: half-open -> closed',
  ]);
});

describe('windows', () => {
  it('of time: a call counts from its start for exactly so long, a failure from its end', () => {
    const { circuit } = make({ failureRatio: 0.5, minCalls: 1_000, windowMs: 777 });
    circuit.leave(circuit.enter(100), 'failure', 150);
    const at = (now: number): unknown[] => {
      circuit.leave(circuit.enter(now), 'ignored', now);
      return [circuit.counts.calls, circuit.counts.failures];
    };
    expect([at(876), at(877), at(926), at(927)]).toEqual([
      [2, 1],
      [2, 1],
      [3, 1],
      [4, 0],
    ]);
  });

  it('of calls: the last so many that ended, whenever that was', async () => {
    const { circuit, runtime } = make({ failureRatio: 0.5, minCalls: 4, windowCalls: 4 });
    await times(1, () => circuit.execute(fail));
    await times(3, () => circuit.execute(() => 1));
    await runtime.advance(3_600_000);
    await times(1, () => circuit.execute(fail));
    expect(circuit.counts).toMatchObject({ calls: 4, failures: 1 });
    await times(1, () => circuit.execute(fail));
    expect(circuit.state).toBe('open');
  });

  it('Infinity: everything since it closed', async () => {
    const { circuit, runtime } = make({ failureRatio: 1, minCalls: 2, windowMs: Infinity });
    await times(1, () => circuit.execute(fail));
    await runtime.advance(1e9);
    await times(1, () => circuit.execute(fail));
    expect(circuit.state).toBe('open');
  });

  it('remembers a bounded number of calls', () => {
    const { circuit } = make({ failureRatio: 1, minCalls: 1e9 });
    for (let nth = 0; nth < 70_000; nth += 1) circuit.leave(circuit.enter(0), 'failure', 0);
    expect(circuit.counts).toMatchObject({ calls: 65_536, failures: 65_536 });
  });
});

describe('by hand', () => {
  it('isolated it stays open until it is closed', async () => {
    const { circuit, runtime } = make({ name: 'db' });
    circuit.isolate();
    await runtime.advance(1e9);
    expect(circuit).toMatchObject({ state: 'open', availableAt: Infinity });
    expect(circuit.refusal()).toMatchObject({
      message: 'db: circuit open, until it is closed by hand (isolated)',
      retryAfterMs: undefined,
    });
    circuit.close();
    expect(circuit).toMatchObject({ state: 'closed', availableAt: 0 });
  });

  it('isolating an open one ends its way back', async () => {
    const { circuit, runtime } = make();
    circuit.open();
    circuit.isolate();
    circuit.open();
    await runtime.advance(1e9);
    expect(circuit.state).toBe('open');
  });

  it('openMs 0 tries at once, Infinity never', async () => {
    const zero = make({ consecutiveFailures: 1, openMs: 0 });
    await times(1, () => zero.circuit.execute(fail));
    expect(zero.circuit.state).toBe('half-open');
    const never = make({ consecutiveFailures: 1, openMs: Infinity });
    await times(1, () => never.circuit.execute(fail));
    await never.runtime.advance(1e9);
    expect(never.circuit.state).toBe('open');
  });

  it('availableAt: now, at the end of its time, and when a hung probe is given up', () => {
    const { circuit } = make({ consecutiveFailures: 1, openMs: 5_000, probes: 1 });
    expect(circuit.availableAt).toBe(0);
    circuit.leave(circuit.enter(0), 'failure', 0);
    expect(circuit.availableAt).toBe(5_000);
    circuit.enter(6_000);
    expect(circuit.availableAt).toBe(11_000);
  });
});

describe('snapshot and restore', () => {
  const frozen = (circuit: CircuitBreaker): CircuitSnapshot => JSON.parse(JSON.stringify(circuit.snapshot())) as never;

  it('goes on in another process, the time in between counted', async () => {
    const before = make({ failureRatio: 0.5, minCalls: 4, openMs: 4_000 });
    await times(2, () => before.circuit.execute(fail));
    await times(1, () => before.circuit.execute(() => 1));
    const after = make({ failureRatio: 0.5, minCalls: 4, openMs: 4_000 });
    await after.runtime.advance(9_000);
    after.circuit.restore(frozen(before.circuit));
    expect(after.circuit.counts).toMatchObject({ calls: 3, failures: 2 });
    await times(1, () => after.circuit.execute(() => 1));
    await times(1, () => after.circuit.execute(fail));
    expect(after.circuit.state).toBe('open');

    const later = make({ openMs: 4_000 });
    await later.runtime.advance(12_999);
    later.circuit.restore(frozen(after.circuit));
    expect(later.circuit).toMatchObject({ state: 'open', availableAt: 13_000 });
    await later.runtime.advance(1);
    expect(later.circuit.state).toBe('half-open');
    // Two of the failures are more than 10 s ago by now.
    expect(later.circuit.counts.failures).toBe(1);
  });

  it('what fell out of the window in between does not count, and who is under way has no say', async () => {
    const { circuit, runtime } = make({ failureRatio: 0.5, minCalls: 2 });
    await times(1, () => circuit.execute(fail));
    const snapshot = frozen(circuit);
    await runtime.advance(10_000);
    const ticket = circuit.enter();
    circuit.restore(snapshot);
    circuit.leave(ticket, 'failure');
    expect(circuit.counts).toMatchObject({ calls: 0, failures: 0 });
  });

  it('an isolated one stays so', () => {
    const { circuit } = make();
    circuit.isolate();
    const other = make();
    other.circuit.restore(frozen(circuit));
    expect(other.circuit).toMatchObject({ state: 'open', availableAt: Infinity });
  });

  it('many calls take at most a hundred rows each way', () => {
    const { circuit } = make({ failureRatio: 1, minCalls: 1e6 });
    for (let nth = 0; nth < 30_000; nth += 1)
      circuit.leave(circuit.enter(nth / 10), nth % 3 ? 'success' : 'failure', nth / 10);
    const snapshot = frozen(circuit);
    expect(snapshot.window.ended.length).toBeLessThanOrEqual(100);
    const other = make({ failureRatio: 1, minCalls: 1e6 });
    other.circuit.restore(snapshot);
    expect(other.circuit.counts).toMatchObject({ calls: 30_000, failures: 10_000 });
  });

  it.each([
    [null, 'snapshot: expected what snapshot() gave, got null'],
    [{}, "snapshot.state: expected 'closed', 'open' or 'half-open', got undefined"],
    [{ forMs: -1 }, 'snapshot.forMs: expected milliseconds >= 0, got -1'],
    [{ reason: 7 }, 'snapshot.reason: expected a string, or null, got 7'],
    [{ window: { started: [], ended: [[1, 2, 3, 0]] } }, 'snapshot.window.ended: expected rows of'],
    [{ window: { started: [[1, 1e9, 0, 0]], ended: [] } }, 'snapshot.window.started: expected at most 65536 calls'],
  ])('refuses %j', (wrong, says) => {
    const { circuit } = make();
    const given = wrong && Object.keys(wrong).length > 0 ? { ...frozen(circuit), ...wrong } : wrong;
    expect(() => circuit.restore(given as never)).toThrow(says);
    expect(circuit.state).toBe('closed');
  });
});

it.each([
  [{ openMs: -1 }, 'CircuitBreaker.openMs: expected a number >= 0, got -1'],
  [{ failureRatio: 50 }, 'CircuitBreaker.failureRatio: expected a number > 0 and <= 1, or false, got 50'],
  [{ failureThreshold: 5 }, 'CircuitBreaker.failureThreshold: no such option'],
  [{ openMs: 10, maxOpenMs: 5 }, 'CircuitBreaker.maxOpenMs: expected at least openMs (10), got 5'],
  [{ windowCalls: 100_000 }, 'CircuitBreaker.windowCalls: expected a whole number >= 1 and <= 65536, or false'],
  [{ tripWhen: 0.5 }, 'CircuitBreaker.tripWhen: expected a function, got 0.5'],
  [
    5,
    'CircuitBreaker: expected an object, got 5; write new CircuitBreaker({ consecutiveFailures: 5, openMs: 30_000 })',
  ],
])('refuses %j', (settings, says) => {
  expect(() => new CircuitBreaker(settings as never)).toThrow(says);
});
