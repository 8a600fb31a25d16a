/** A user's project somewhere else, with fairlead installed from its tarball, and what has to be done there. */
import { execFile } from 'node:child_process';
import { access, copyFile, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const execute = promisify(execFile);

export const root = fileURLToPath(new URL('../../..', import.meta.url));

/** What the command wrote on its standard output. Rejects with all that it wrote when it fails. */
export const run = async (command: string, args: readonly string[], cwd: string): Promise<string> => {
  try {
    const { stdout } = await execute(command, args, { cwd, timeout: 100_000, maxBuffer: 16 << 20 });
    return stdout;
  } catch (error) {
    const { stdout, stderr, message } = error as { stdout?: string; stderr?: string; message: string };
    throw new Error([message, stdout, stderr].join('\n'), { cause: error });
  }
};

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string; readonly size: number }[];
}

export interface Project {
  readonly folder: string;
  /** Where fairlead was installed. */
  readonly installed: string;
  /** Paths in the tarball, sorted. */
  readonly packed: readonly string[];
  /** Runs a file of `fixtures/` in the project with Node and returns what it printed as JSON. */
  runFixture(name: string, ...args: string[]): Promise<unknown>;
  write(name: string, text: string): Promise<void>;
  copyFixture(name: string, as?: string): Promise<void>;
  remove(): Promise<void>;
}

/** Packs what was built last and installs it in a new folder, with nothing else beside it. */
export const installedProject = async (): Promise<Project> => {
  await access(path.join(root, 'dist/index.js')).catch((cause: unknown) => {
    throw new Error('there is no dist/: run `npm run build` first', { cause });
  });
  // The compiler and Node tell real paths; the temporary folder may be a link.
  const folder = await realpath(await mkdtemp(path.join(tmpdir(), 'fairlead-package-')));
  const write = (name: string, text: string): Promise<void> => writeFile(path.join(folder, name), text);
  const copyFixture = (name: string, as = name): Promise<void> =>
    copyFile(path.join(root, 'test/package/fixtures', name), path.join(folder, as));

  const packing = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], root);
  const [{ filename, files }] = JSON.parse(packing) as [Packed];
  await write('package.json', JSON.stringify({ name: 'a-user', private: true, type: 'module' }));
  const quietly = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
  await run('npm', ['install', ...quietly, `./${filename}`], folder);

  return {
    folder,
    installed: path.join(folder, 'node_modules/fairlead'),
    packed: files.map(file => file.path).sort(),
    async runFixture(name, ...args) {
      await copyFixture(name);
      return JSON.parse(await run(process.execPath, [name, ...args], folder)) as unknown;
    },
    write,
    copyFixture,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
};
