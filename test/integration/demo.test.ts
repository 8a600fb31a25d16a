/** The first thing that a newcomer runs, run as they do: real processes, real faults, and its own verdict on them. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { askFourLetters, askJson, eventually, serverOrSkip, startEtcd, startZooKeeper } from '../servers/index.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

const SCHEMES = { consul: 'http://', etcd: 'http://', zookeeper: '' };

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

const SERVERS = {
  consul: await serverOrSkip('consul'),
  etcd: await serverOrSkip('etcd'),
  zookeeper: await serverOrSkip('zookeeper'),
};

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

  describe.each(['consul', 'etcd', 'zookeeper'] as const)('with instances in a real %s', kind => {
    it.skipIf(SERVERS[kind] === undefined)(
      'does so',
      async () => {
        const { code, output } = await demo('--registry', kind, '--seconds', '8').ended;
        expect(output).toMatch(/^calls \d{3,}, failed 0, /m);
        expect(output).toMatch(/^a answering 503 +out after \d+ ms, +back after \d+ ms$/m);
        expect(code, output).toBe(0);
      },
      60_000,
    );

    it('says in one sentence that no server answers', async () => {
      const address = '127.0.0.1:1';
      const { code, output } = await demo('--registry', kind, '--url', `${SCHEMES[kind]}${address}`).ended;
      expect(output).toMatch(new RegExp(`^demo: no ${kind} answers at .*${address}: .+\n$`, 'i'));
      expect(code).toBe(1);
    }, 30_000);
  });

  it.skipIf(SERVERS.etcd === undefined)(
    'leaves nothing in an etcd that stays, when it is stopped in the middle',
    async () => {
      const etcd = await startEtcd();
      try {
        const { ended, said, signal } = demo('--registry', 'etcd', '--url', etcd.endpoints[0]!);
        await said('b is SIGKILLed');
        const body = JSON.stringify({ key: 'AA==', range_end: 'AA==' });
        const keys = (): Promise<unknown> => askJson(`${etcd.endpoints[0]}/v3/kv/range`, { method: 'POST', body });
        expect(await keys()).toMatchObject({ count: '3' });
        signal('SIGTERM');
        expect((await ended).code).toBe(143);
        expect(await keys()).not.toHaveProperty('count');
      } finally {
        await etcd.stop();
      }
    },
    60_000,
  );

  it.skipIf(SERVERS.zookeeper === undefined)(
    'leaves nothing in a ZooKeeper that stays, when it is stopped in the middle',
    async () => {
      const zookeeper = await startZooKeeper();
      const nodes = async (): Promise<number> => {
        const answer = await askFourLetters(zookeeper.nodes[0].ports.client, 'srvr');
        return Number(/^Node count: (\d+)$/m.exec(answer)?.[1]);
      };
      try {
        const before = await nodes();
        const { ended, said, signal } = demo('--registry', 'zookeeper', '--url', zookeeper.connectString);
        await said('b is SIGKILLed');
        expect(await nodes()).toBe(before + 5);
        signal('SIGTERM');
        expect((await ended).code).toBe(143);
        // What all services of the prefix are below.
        expect(await nodes()).toBe(before + 1);
      } finally {
        await zookeeper.stop();
      }
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
    expect(output).toContain('--registry memory|consul|etcd|zookeeper');
    expect(code).toBe(0);
  });

  it.each([
    [['--bad'], "Unknown option '--bad'"],
    [['--seconds', '4'], '--seconds: expected 5-600, got "4"'],
    [['--registry', 'eureka'], '--registry: expected memory, consul, etcd or zookeeper, got "eureka"'],
    [['--url', 'http://127.0.0.1:8500'], '--url is for --registry consul, etcd or zookeeper'],
    [['--registry', 'consul', '--url', 'localhost'], '--url: expected one such as http://127.0.0.1:8500, got'],
    [['--registry', 'etcd', '--url', 'localhost'], '--url: expected one such as http://127.0.0.1:2379, got'],
    [['--registry', 'zookeeper', '--url', 'http://a:1'], '--url: expected one such as 127.0.0.1:2181, got'],
  ])('refuses %j in one sentence', async (args, sentence) => {
    const { code, output } = await demo(...args).ended;
    expect(output).toContain(`demo: ${sentence}`);
    expect(output).not.toContain('    at ');
    expect(code).toBe(2);
  });
});
