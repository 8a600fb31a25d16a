/** Runs a program to its own end. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Ended {
  /** `null`: it did not end by itself. */
  readonly code: number | null;
  /** What the story gave. */
  readonly told: unknown;
  /** Warnings and unhandled rejections show here. */
  readonly stderr: string;
  /** Between the end of the story and the end of the process. */
  readonly lingeredMs: number;
}

const PROGRAM = fileURLToPath(new URL('lifecycle-child.ts', import.meta.url));
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

export interface Story {
  readonly name: string;
  readonly args: readonly string[];
  /** Killed when it lives longer. @default 20_000 */
  readonly withinMs?: number;
}

export const runStory = ({ name, args, withinMs = 20_000 }: Story): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const flags = ['--expose-gc', '--import', 'tsx', PROGRAM, name, ...args];
    const child = spawn(process.execPath, flags, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    const out = { stdout: '', stderr: '', toldAt: NaN };
    const timer = setTimeout(() => child.kill('SIGKILL'), withinMs);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out.stdout += text;
      out.toldAt = performance.now();
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (out.stderr += text));
    child.once('error', reject);
    child.once('close', code => {
      clearTimeout(timer);
      const told = out.stdout === '' ? 'nothing' : (JSON.parse(out.stdout) as { told: unknown }).told;
      resolve({ code, told, stderr: out.stderr, lingeredMs: Math.round(performance.now() - out.toldAt) });
    });
  });
