/** The first thing that a newcomer runs, run as they do: real processes, real faults, and its own verdict on them. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { summarise } from '../../examples/demo/summary.js';
import { planOf } from '../../examples/demo/script.js';
import { Witness } from '../../examples/demo/witness.js';
import { eventually, serverOrSkip } from '../servers/index.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

type Ended = { readonly code: number | null; readonly output: string };

interface DemoProcess {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  signal(name: NodeJS.Signals): void;
  /** Resolves as soon as the output holds this. */
  said(text: string): Promise<void>;
}

const demo = (...args: string[]): DemoProcess => {
  const child = spawn(process.execPath, ['--import', 'tsx', 'examples/demo/main.ts', ...args], {
    cwd: root,
    env: { ...process.env, TSX_TSCONFIG_PATH: 'examples/demo/tsconfig.run.json' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
      for (const listener of listeners) listener();
    });
  const ended = new Promise<Ended>(resolve => child.once('close', code => resolve({ code, output })));
  const said = (text: string): Promise<void> => {
    const heard = new Promise<void>(resolve => listeners.add(() => output.includes(text) && resolve()));
    return Promise.race([heard, ended.then(() => expect(output).toContain(text))]);
  };
  return { pid: child.pid!, ended, said, signal: name => child.kill(name) };
};

const childrenOf = (parent: number): number[] =>
  readdirSync('/proc')
    .map(Number)
    .filter(pid => pid > 0 && statusOf(pid).includes(`\nPPid:\t${parent}\n`));

/** What has ended and was not yet collected by its parent is a zombie. */
const isAlive = (pid: number): boolean => statusOf(pid) !== '' && !statusOf(pid).includes('\nState:\tZ');

/** Empty when there is no such process. */
const statusOf = (pid: number): string => {
  const file = `/proc/${pid}/status`;
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
};

const consul = await serverOrSkip('consul');

describe('the demo', () => {
  beforeAll(() => {
    // Where nobody has built yet, as after `npm ci`.
    if (!existsSync(`${root}/dist/index.js`)) execFileSync('npm', ['run', 'build:js'], { cwd: root });
  }, 60_000);

  it('loses no idempotent call while an instance is killed, one is slow and one answers 503', async () => {
    const { code, output } = await demo().ended;
    expect(output).toMatch(/^calls \d{4,}, failed 0, /m);
    expect(output).toMatch(/^POSTs \d{3,} besides, failed \d+, processed twice 0/m);
    for (const fault of ['b SIGKILLed', 'c 20x slower', 'a answering 503'])
      expect(output).toMatch(new RegExp(`^${fault} +out after \\d+ ms, +back after \\d+ ms$`, 'm'));
    expect(output).toMatch(/^t=\d\.\d\d s {2}fairlead {2}b is out: /m);
    expect(output).not.toContain('\x1b');
    expect(code, output).toBe(0);
  }, 60_000);

  it('is short when asked to be, and says what there was no time for', async () => {
    const { code, output } = await demo('--seconds', '5').ended;
    expect(output).toMatch(/^calls \d{3,}, failed 0, /m);
    expect(output).toContain('no faults');
    expect(code, output).toBe(0);
  }, 30_000);

  it.skipIf(consul === undefined)(
    'does so with instances in a real Consul',
    async () => {
      const { code, output } = await demo('--registry', 'consul', '--seconds', '8').ended;
      expect(output).toMatch(/^calls \d{3,}, failed 0, /m);
      expect(output).toMatch(/^a answering 503 +out after \d+ ms, +back after \d+ ms$/m);
      expect(code, output).toBe(0);
    },
    60_000,
  );

  // The witness is Linux's list of processes.
  it.skipIf(process.platform !== 'linux').each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
    ['SIGKILL', null],
  ] as const)(
    'leaves no process behind when it is stopped by %s',
    async (name, expected) => {
      const run = demo();
      await run.said('t=');
      const children = childrenOf(run.pid);
      expect(children.length).toBeGreaterThanOrEqual(3);
      run.signal(name);
      expect((await run.ended).code).toBe(expected);
      await eventually(() => expect(children.filter(isAlive)).toEqual([]), { withinMs: 3_000 });
    },
    30_000,
  );

  it('has a help text', async () => {
    const { code, output } = await demo('--help').ended;
    expect(output).toContain('--registry memory|consul');
    expect(code).toBe(0);
  });

  it.each([
    [['--bad'], "Unknown option '--bad'"],
    [['--seconds', '4'], '--seconds: expected 5-600, got "4"'],
    [['--registry', 'eureka'], '--registry: expected memory or consul, got "eureka"'],
    [['--registry', 'etcd'], '--registry etcd: not in this version'],
    [['--registry', 'zookeeper'], '--registry zookeeper: not in this version'],
    [['--url', 'http://127.0.0.1:8500'], '--url is for --registry consul'],
    [['--registry', 'consul', '--url', 'localhost'], '--url: expected one such as'],
  ])('refuses %j in one sentence', async (args, sentence) => {
    const { code, output } = await demo(...args).ended;
    expect(output).toContain(`demo: ${sentence}`);
    expect(output).not.toContain('    at ');
    expect(code).toBe(2);
  });
});

describe("the demo's own verdict", () => {
  const [fault] = planOf(8);
  const well = {
    gets: { ok: 900, failed: 0 },
    ...{
      posts: { ok: 100, failed: 3 },
      retries: 7,
      p50Ms: 36,
      p99Ms: 60,
      processedTwice: 0,
      skipped: 0,
      complaints: [],
    },
  };
  const seen = {
    id: 'orders-a',
    state: 'serving',
    expectedMs: 35,
    inFlight: 1,
    reason: null,
    availableInMs: 0,
  } as const;

  type Course = { readonly outAfterMs?: number; readonly backAfterMs?: number; readonly share?: number };

  const witnessOf = ({ outAfterMs, backAfterMs, share = 0.3 }: Course): Witness => {
    const witness = new Witness(planOf(8));
    witness.struck(fault!, 1_000);
    if (outAfterMs !== undefined) witness.ejected('a', 1_000 + outAfterMs);
    witness.healed(fault!, 5_000);
    if (backAfterMs !== undefined) witness.look('a', { ...seen, share }, 5_000 + backAfterMs);
    return witness;
  };

  it.each<[string, Course, Partial<typeof well>, string[]]>([
    ['all as promised', { outAfterMs: 40, backAfterMs: 3_000 }, {}, []],
    ['out at the last moment', { outAfterMs: 2_000, backAfterMs: 10_000 }, {}, []],
    ['never out', { backAfterMs: 3_000 }, {}, ['was not seen to go out', 'was not seen to come back']],
    ['out too late', { outAfterMs: 2_001, backAfterMs: 3_000 }, {}, ['was out after 2001 ms, later than 2000']],
    ['never back', { outAfterMs: 40 }, {}, ['was not seen to come back']],
    ['back without calls', { outAfterMs: 40, backAfterMs: 3_000, share: 0.01 }, {}, ['was not seen to come back']],
    ['back too late', { outAfterMs: 40, backAfterMs: 10_001 }, {}, ['was back after 10001 ms, later than 10000']],
    ['a GET failed', { outAfterMs: 40, backAfterMs: 3_000 }, { gets: { ok: 900, failed: 1 } }, ['1 GETs failed']],
    [
      'a POST was repeated',
      { outAfterMs: 40, backAfterMs: 3_000 },
      { processedTwice: 1 },
      ['processed more than once'],
    ],
  ])('%s', (_story, course, totals, complaints) => {
    const { lines, exitCode } = summarise({
      totals: { ...well, ...totals },
      witness: witnessOf(course),
      plan: [fault!],
    });
    const told = lines.filter(line => line.startsWith('NOT AS PROMISED: '));
    expect(told).toEqual(complaints.map(complaint => expect.stringContaining(complaint)));
    expect(exitCode).toBe(complaints.length === 0 ? 0 : 1);
  });

  it('is bad when a fault of the plan never came', () => {
    const { exitCode } = summarise({ totals: well, witness: new Witness(planOf(8)), plan: planOf(8) });
    expect(exitCode).toBe(1);
  });
});
