/** Instances that register themselves, a client that finds them, a steady load, and one restart after the other. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { MemoryRegistry, ServiceClient } from 'fairlead';
import { reservePorts } from '../../servers/ports.js';
import { serveRegistry } from './ipc-registrar.js';
import { readJournal, type JournalEntry } from './journal.js';
import { callOnce, wallNow, type CallMade } from './load.js';
import type { FromRolling, RollingSetup } from './rolling-protocol.js';

const PROGRAM = fileURLToPath(new URL('rolling-instance.ts', import.meta.url));
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

export interface RollingPlan {
  readonly service: string;
  readonly count: number;
  readonly registry: RollingSetup['registry'];
  /** Served to the instances over their channel, for the kind `ipc`. */
  readonly memory?: MemoryRegistry | undefined;
}

/**
 * One file of plain JavaScript: five processes that each translate all of src for themselves would be busy with that for
 * longer than with the restart.
 */
const bundled = async (folder: string): Promise<string> => {
  const outfile = join(folder, 'instance.mjs');
  const external = ['consul', 'etcd3', 'node-zookeeper-client', 'opossum'];
  const shared = { bundle: true, platform: 'node', format: 'esm', target: 'node20' } as const;
  await build({ ...shared, entryPoints: [PROGRAM], outfile, external, tsconfig: join(ROOT, 'tsconfig.json') });
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return outfile;
};

class Member {
  readonly setup: RollingSetup;
  readonly #program: string;
  readonly #memory: MemoryRegistry | undefined;
  readonly #moments: Moment[];
  #child: ChildProcess | undefined;

  constructor(setup: RollingSetup, around: { program: string; memory: MemoryRegistry | undefined; moments: Moment[] }) {
    this.setup = setup;
    this.#program = around.program;
    this.#memory = around.memory;
    this.#moments = around.moments;
  }

  /** Resolves when it is READY. */
  async start(): Promise<void> {
    const child = fork(this.#program, [JSON.stringify(this.setup)], { execArgv: [] });
    this.#child = child;
    if (this.#memory !== undefined) serveRegistry(child, this.#memory);
    await new Promise<void>((resolve, reject) => {
      child.once('exit', code => reject(new Error(`${this.setup.id} ended with ${code}`)));
      child.on('message', (message: FromRolling) => {
        if ('trouble' in message) this.#note(`trouble: ${message.trouble}`);
        if (!('state' in message)) return;
        this.#note(message.state);
        if (message.state === 'READY') resolve();
      });
    });
  }

  /** As an orchestrator does it. Resolves with how the process ended. */
  async terminate(): Promise<unknown> {
    const child = this.#child!;
    const ended = once(child, 'exit');
    this.#note('SIGTERM');
    child.kill('SIGTERM');
    const [code, signal] = (await ended) as [number | null, string | null];
    this.#note('gone');
    return code ?? signal;
  }

  #note(what: string): void {
    this.#moments.push({ at: wallNow(), id: this.setup.id, what });
  }

  kill(): void {
    this.#child?.kill('SIGKILL');
  }
}

/** Something that happened to an instance. */
export interface Moment {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly id: string;
  readonly what: string;
}

export interface Rolling extends AsyncDisposable {
  readonly moments: readonly Moment[];
  /** All of them, one after the other; resolves with their exit codes. */
  restartAll(): Promise<unknown[]>;
  journals(): Promise<JournalEntry[]>;
}

export const startRolling = async ({ memory, count, ...shared }: RollingPlan): Promise<Rolling> => {
  const folder = await mkdtemp(join(tmpdir(), 'fairlead-rolling-'));
  const moments: Moment[] = [];
  const program = await bundled(folder);
  const ports = await reservePorts(count);
  const members = ports.map((port, n) => {
    const journal = join(folder, String(n));
    writeFileSync(journal, '');
    const id = `${shared.service}-${n}`;
    return new Member({ ...shared, id, port, journal }, { program, memory, moments });
  });
  await Promise.all(members.map(member => member.start()));
  return {
    moments,
    async restartAll() {
      const codes: unknown[] = [];
      for (const member of members) {
        codes.push(await member.terminate());
        await member.start();
      }
      return codes;
    },
    journals: async () => (await Promise.all(members.map(({ setup }) => readJournal(setup.journal)))).flat(),
    async [Symbol.asyncDispose]() {
      for (const member of members) member.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
};

const TICK_MS = 10;

/** A machine that is busy with something else must not drown in calls that it cannot make. */
const MOST_IN_FLIGHT = 100;

/** So many calls a second, as far as the machine can make them, GET and POST in turn. `stop` waits for the last. */
export const steadyLoad = (client: ServiceClient, perSecond: number) => {
  const pending: Promise<CallMade>[] = [];
  let inFlight = 0;
  const startedAt = performance.now();
  const timer = setInterval(() => {
    const due = ((performance.now() - startedAt) / 1_000) * perSecond;
    while (pending.length < due && inFlight < MOST_IN_FLIGHT) {
      const method = pending.length % 2 === 0 ? 'GET' : 'POST';
      inFlight += 1;
      pending.push(callOnce(client, { method, id: `r${pending.length}` }).finally(() => (inFlight -= 1)));
    }
  }, TICK_MS);
  return {
    async stop(): Promise<{ calls: CallMade[]; seconds: number }> {
      clearInterval(timer);
      const seconds = (performance.now() - startedAt) / 1_000;
      return { calls: await Promise.all(pending), seconds };
    },
  };
};
