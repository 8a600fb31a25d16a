/** Runs a short-lived command to its end; every failure says which command and why. For servers see `process.ts`. */
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';

export interface RunOptions {
  readonly cwd?: string;
  /** @default 10000 */
  readonly timeoutMs?: number;
}

/** What the command wrote, standard error included: some tools print their version there. */
export function run(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const [file = '', ...args] = argv;
  const { timeoutMs = 10_000 } = options;
  return new Promise(function start(resolve, reject) {
    const settings = {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      timeout: timeoutMs,
      killSignal: 'SIGKILL' as const,
      maxBuffer: 16 << 20,
      env: { ...process.env, LC_ALL: 'C' },
    };
    execFile(file, args, settings, function done(error, stdout, stderr) {
      if (error === null) return resolve(stdout + stderr);
      const why = error.killed === true ? `no end within ${timeoutMs} ms` : lastLines(stderr) || error.message;
      reject(new Error(`${file} failed: ${why}`, { cause: error }));
    });
  });
}

/** The executable's full path, or undefined. */
export async function onPath(name: string): Promise<string | undefined> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    if (isAbsolute(folder) && (await exists(join(folder, name), constants.X_OK))) return join(folder, name);
  }
  return undefined;
}

export async function exists(path: string, mode: number = constants.F_OK): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-3).join(' / ');
}
