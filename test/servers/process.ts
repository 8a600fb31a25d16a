/** One long-running server process: its log, its signals, and that it never outlives this process. */
import { spawn, type ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { onPath } from './run.js';

export type Signal = 'SIGKILL' | 'SIGSTOP' | 'SIGCONT';

export interface Launch {
  /** The command up to the server's own arguments. */
  readonly argv: readonly string[];
  /** How to signal it when the process started here is not the server itself. */
  readonly signal?: (signal: Signal) => void;
}

/** The last 64 Ki characters that a server wrote, over all its restarts. */
export class LogTail {
  static readonly #maxLength = 64 * 1024;
  #text = '';

  append(chunk: string): void {
    this.#text = (this.#text + chunk).slice(-LogTail.#maxLength);
  }

  text(): string {
    return this.#text;
  }
}

const living = new Set<ServerProcess>();
const temporaryFolders = new Set<string>();

export class ServerProcess {
  readonly #child: ChildProcess;
  readonly #launch: Launch;
  readonly exited: Promise<void>;
  /** How it ended; undefined while it lives. */
  ending: string | undefined;

  static async start(launch: Launch, log: LogTail): Promise<ServerProcess> {
    return new ServerProcess(launch, [...(await dieWithParent()), ...launch.argv], log);
  }

  private constructor(launch: Launch, argv: readonly string[], log: LogTail) {
    const [file = '', ...args] = argv;
    this.#launch = launch;
    this.#child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stdout?.setEncoding('utf8').on('data', (chunk: string) => log.append(chunk));
    this.#child.stderr?.setEncoding('utf8').on('data', (chunk: string) => log.append(chunk));
    watchParentExit();
    living.add(this);
    this.exited = new Promise(resolve => {
      const end = (how: string): void => {
        this.ending ??= how;
        living.delete(this);
        resolve();
      };
      this.#child.once('error', error => end(`could not be started: ${error.message}`));
      // 'close' and not 'exit': only then is the log complete, which a failed start is explained with.
      this.#child.once('close', (code, signal) => end(`ended with ${signal ?? `exit code ${code}`}`));
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get inContainer(): boolean {
    return this.#launch.signal !== undefined;
  }

  signal(signal: Signal): void {
    if (this.ending !== undefined) return;
    if (this.#launch.signal === undefined) this.#child.kill(signal);
    else this.#launch.signal(signal);
  }
}

/**
 * SIGSTOP reaches the threads of a process one after the other, and one that still runs may answer. So this waits,
 * where the kernel tells (Linux), until all of them stand; the bound is for a process that dies meanwhile.
 */
export async function untilStopped(pid: number): Promise<void> {
  const folder = `/proc/${pid}/task`;
  for (let look = 0; look < 200; look += 1) {
    const threads = await readdir(folder).catch(() => []);
    const states = await Promise.all(threads.map(id => readFile(`${folder}/${id}/stat`, 'utf8').catch(() => '')));
    // The state follows the name, which is in brackets and may hold any character.
    if (states.every(stat => stat === '' || /\) [TtZX] [^)]*$/.test(stat))) return;
    await sleep(5);
  }
}

/** The folder is removed when this process ends without having done so. */
export function removeOnExit(folder: string): void {
  watchParentExit();
  temporaryFolders.add(folder);
}

export function forgetFolder(folder: string): void {
  temporaryFolders.delete(folder);
}

let watching = false;

function watchParentExit(): void {
  if (watching) return;
  watching = true;
  process.once('exit', function killAll() {
    for (const server of living) server.signal('SIGKILL');
    for (const folder of temporaryFolders) rmSync(folder, { recursive: true, force: true });
  });
}

let deathWrapper: Promise<string[]> | undefined;

/**
 * No 'exit' event comes when this process is killed by a signal. On Linux the kernel can kill the server then;
 * setpriv arranges it and becomes the server by exec, so the process id is the server's own.
 */
function dieWithParent(): Promise<string[]> {
  deathWrapper ??= onPath('setpriv').then(path => (path === undefined ? [] : [path, '--pdeathsig', 'KILL', '--']));
  return deathWrapper;
}
