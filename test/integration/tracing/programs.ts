/** Programs as processes of their own, started in no time: one file of JavaScript each. */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

export interface Program extends AsyncDisposable {
  readonly file: string;
}

/**
 * @param source by its path in the repository, without `.ts`
 * @param without packages that it does not find, as if they were not installed
 */
export const bundle = async (source: string, without: readonly string[] = []): Promise<Program> => {
  const folder = await mkdtemp(join(tmpdir(), 'fairlead-tracing-'));
  const file = join(folder, `${basename(source)}.mjs`);
  const external = ['@opentelemetry/*', 'consul', 'etcd3', 'node-zookeeper-client', 'opossum', 'undici'];
  const shared = { bundle: true, platform: 'node', format: 'esm', target: 'node20' } as const;
  await build({
    ...shared,
    entryPoints: [join(ROOT, `${source}.ts`)],
    outfile: file,
    external,
    tsconfig: join(ROOT, 'tsconfig.json'),
  });
  await link(join(ROOT, 'node_modules'), join(folder, 'node_modules'), without);
  return { file, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
};

const link = async (from: string, to: string, without: readonly string[]): Promise<void> => {
  await mkdir(to);
  for (const name of await readdir(from)) {
    const within = without.filter(each => each.startsWith(`${name}/`)).map(each => each.slice(name.length + 1));
    if (within.length > 0) await link(join(from, name), join(to, name), within);
    else if (!without.includes(name)) await symlink(join(from, name), join(to, name));
  }
};

export interface Ended {
  /** `null`: it did not end by itself. */
  readonly code: number | null;
  /** What it printed, as JSON. */
  readonly told: unknown;
  /** Warnings and unhandled rejections show here. */
  readonly stderr: string;
}

interface Run {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Killed when it lives longer. @default 20_000 */
  readonly withinMs?: number;
}

export const run = ({ file }: Program, { args, env = {}, withinMs = 20_000 }: Run): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [file, ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    const timer = setTimeout(() => child.kill('SIGKILL'), withinMs);
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.once('error', reject);
    child.once('close', code => {
      clearTimeout(timer);
      resolve({ code, told: stdout === '' ? 'nothing' : (JSON.parse(stdout) as unknown), stderr });
    });
  });
