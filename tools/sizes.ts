/**
 * How large the package is: the tarball (its path is the argument), and each door as a bundler would take it, whole,
 * minified and compressed. Fails above the limits below: growth is to be a decision.
 */
import { build } from 'esbuild';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { doors } from './api/doors.js';

/** In kB (1 000 bytes), a third or more above what was measured when they were set. */
const TARBALL_KB = 1_500;
const DOOR_KB: Readonly<Record<string, number>> = {
  fairlead: 100,
  'fairlead/consul': 14,
  'fairlead/etcd': 14,
  'fairlead/zookeeper': 14,
  'fairlead/opentelemetry': 19,
  'fairlead/jaeger': 13,
  'fairlead/undici': 20,
  'fairlead/testing': 14,
};

const root = fileURLToPath(new URL('..', import.meta.url));
const { dependencies = {}, peerDependencies = {} } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
  readonly dependencies?: object;
  readonly peerDependencies?: object;
};
/** A user has them, or has not. */
const thirdParties = Object.keys({ ...dependencies, ...peerDependencies });

const bundledBytes = async (door: string): Promise<number> => {
  const { outputFiles } = await build({
    stdin: { contents: `export * from '${door}';`, resolveDir: root },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'node',
    // By its name and not by path: what tsconfig says of the name is for the compiler.
    tsconfigRaw: '{}',
    external: thirdParties,
  });
  return gzipSync(outputFiles[0]!.contents).length;
};

let tooLarge = 0;
const say = (what: string, bytes: number, limitKb: number | undefined): void => {
  const kb = bytes / 1_000;
  const over = limitKb === undefined || kb > limitKb;
  if (over) tooLarge += 1;
  const limit = limitKb === undefined ? 'no limit is set in tools/sizes.ts' : `at most ${limitKb}`;
  console.log(`${over ? 'TOO LARGE' : 'ok'}  ${what}: ${kb.toFixed(1)} kB (${limit})`);
};

const [tarball] = process.argv.slice(2);
if (tarball !== undefined) say('tarball', readFileSync(tarball).length, TARBALL_KB);
for (const { name } of doors) say(`${name}, minified and gzipped`, await bundledBytes(name), DOOR_KB[name]);
if (tooLarge > 0) process.exitCode = 1;
