import { readFile } from 'node:fs/promises';
import path from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { doors } from '../../tools/api/doors.js';
import { root } from './support/project.js';

/** Where doors are named besides the build: a new one that is forgotten in one of them works in some places only. */
const keysOf = async (file: string, read: (parsed: never) => object): Promise<string[]> => {
  const { config } = ts.parseConfigFileTextToJson(file, await readFile(path.join(root, file), 'utf8')) as {
    config: never;
  };
  return Object.keys(read(config)).sort();
};

const built = doors.map(({ name }) => name).sort();

test('package.json exports what is built', async () => {
  const exported = await keysOf('package.json', ({ exports }: { exports: object }) => exports);
  const names = exported.filter(key => key !== './package.json').map(key => key.replace('.', 'fairlead'));
  expect(names.sort()).toEqual(built);
});

test('the compiler finds the source of what is built', async () => {
  type Config = { compilerOptions: { paths: object } };
  expect(await keysOf('tsconfig.json', ({ compilerOptions }: Config) => compilerOptions.paths)).toEqual(built);
});
